/** Structured logs (pino, one JSON object a line, to stderr). Only the main thread writes. Keys and values are never logged. */
import { type Logger as PinoLogger, pino } from 'pino';

export type Logger = PinoLogger;

const STDERR = 2;
/** By `-v`: warnings and worse, then information, then debugging. */
const LEVELS = ['warn', 'info', 'debug'] as const;

export function createLogger(verbose: number, logTo?: (line: string) => void): Logger {
  const options = {
    level: LEVELS[Math.min(LEVELS.length - 1, verbose)]!,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  if (logTo !== undefined) return pino(options, { write: logTo });
  // Synchronous: a line must not be lost when the process ends right after it.
  return pino(options, pino.destination({ fd: STDERR, sync: true }));
}

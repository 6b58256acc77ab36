/**
 * Structured logs (pino, one JSON object a line, to stderr). Only the main thread writes; workers send it
 * what they have to say, because their threads are blocked inside the kernel. Keys, values and passwords are
 * never logged.
 */
import { type Logger as PinoLogger, pino } from 'pino';

export type Logger = PinoLogger;

const STDERR = 2;
/** By `-v`: warnings and worse, then information, then debugging. */
const LEVELS = ['warn', 'info', 'debug'] as const;

/** The level that a number of `-v` means. */
export function logLevel(verbose: number): (typeof LEVELS)[number] {
  return LEVELS[Math.max(0, Math.min(LEVELS.length - 1, verbose))]!;
}

/** A log on stderr, or to `logTo` (one line a call, with its line break). */
export function createLogger(verbose: number, logTo?: (line: string) => void): Logger {
  const options = {
    level: logLevel(verbose),
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  if (logTo !== undefined) return pino(options, { write: logTo });
  // Synchronous: a line must not be lost when the process ends right after it.
  return pino(options, pino.destination({ fd: STDERR, sync: true }));
}

/**
 * Tells a person what went wrong and what to do about it. Operating errors get one line, programmer errors
 * their stack.
 */
import { HostError } from '@larder/host';
import { CommanderError } from 'commander';
import { erasureFailure } from './erasure/failure.ts';

const ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: 'Another process listens there: choose another port (-p), or stop the other process.',
  EACCES: 'Choose a port above 1023 or a place where you may write.',
  EADDRNOTAVAIL: 'This machine has no such address: check -l.',
  ENOENT: 'Check the path.',
  OPTION: 'See --help of the command.',
  UNAVAILABLE: 'Leave --transport and LARDER_TRANSPORT out to use the best that works here.',
};

const USAGE_EXIT_CODE = 2;

/** Prints the failure to stderr; returns the exit code. */
export function reportFailure(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode;
  const erasure = erasureFailure(error);
  if (erasure !== undefined) return erasure;
  if (!(error instanceof HostError)) {
    process.stderr.write(
      `larder: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    return 1;
  }
  const advice = ADVICE[error.code];
  process.stderr.write(`larder: ${error.message}\n${advice === undefined ? '' : `  ${advice}\n`}`);
  return error.code === 'OPTION' || error.code === 'CONFIG' ? USAGE_EXIT_CODE : 1;
}

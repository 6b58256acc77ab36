/** Runs one command line and sets the exit code. */
import { CommanderError } from 'commander';
import { reportFailure } from './failure.ts';
import { buildProgram } from './program.ts';

const USAGE_EXIT_CODE = 2;

export async function run(argv: readonly string[]): Promise<void> {
  try {
    await buildProgram().parseAsync(argv);
  } catch (error) {
    // Commander has printed its message already; help and version are not failures.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : USAGE_EXIT_CODE;
    else process.exitCode = reportFailure(error);
  }
}

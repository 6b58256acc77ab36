/** The entry point of the `larder` command. */
import { CommanderError } from 'commander';
import { reportFailure } from './failure.ts';
import { buildProgram } from './program.ts';

const USAGE_EXIT_CODE = 2;

try {
  await buildProgram().parseAsync(process.argv);
} catch (error) {
  // Commander has printed its message already; help and version are not failures.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : USAGE_EXIT_CODE;
  else process.exitCode = reportFailure(error);
}

/** Tells a person what went wrong with an erasure command, and what to do about it. */
import { ErasureError } from '@larder/erasure';
import { ErasureFileError } from './errors.ts';

const ADVICE: Readonly<Record<string, string>> = {
  EXISTS: 'Use --force to replace it, or -o for another place.',
  MANIFEST: 'Every copy of the manifest is as good as this one: try another.',
  OPTION: 'See larder erasure --help.',
  LIMIT_EXCEEDED: 'Choose another strategy, or give more --time.',
};

const USAGE_CODES = new Set(['OPTION', 'ILLEGAL_ARGUMENT', 'ILLEGAL_PARAMETERS']);
const USAGE_EXIT_CODE = 2;

/** Prints the failure to stderr and returns the exit code; undefined when it is not one of these. */
export function erasureFailure(error: unknown): number | undefined {
  if (!(error instanceof ErasureFileError || error instanceof ErasureError)) return undefined;
  // A defect of ours: the stack helps whoever reports it.
  if (error.code === 'INTERNAL') return undefined;
  const advice = ADVICE[error.code];
  process.stderr.write(`larder: ${error.message}\n${advice === undefined ? '' : `  ${advice}\n`}`);
  return USAGE_CODES.has(error.code) ? USAGE_EXIT_CODE : 1;
}

/**
 * `npm run bench -- recovery-reads`: the figures of the paper with ours beside theirs. The sections are in the
 * erasure package beside the planners that they evaluate; here they are run in a process of their own, which
 * keeps what the planners allocate out of this one.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { BenchError } from '../errors.ts';
import { readArguments } from '../read-arguments.ts';

const SECTIONS_FILE = fileURLToPath(
  new URL('../../../packages/erasure/src/planners/recovery-reads.bench.ts', import.meta.url),
);
const EVALUATION_FOLDER = fileURLToPath(new URL('../../../docs/evaluation', import.meta.url));

/** Name and what it shows; `slow` ones take a minute or more. */
const SECTIONS = [
  { name: 'figure-1', about: 'Liber8tion, k = 3 to 8', isSlow: false },
  { name: 'figure-2', about: 'STAR, all primes up to 97', isSlow: false },
  { name: 'figure-3', about: 'Cauchy Reed-Solomon, m = 2 and 3', isSlow: false },
  { name: 'quarter', about: 'RDP and EVENODD', isSlow: false },
  { name: 'online', about: 'planning times', isSlow: false },
  { name: 'balance', about: 'reads per machine over rotated stripes', isSlow: false },
  { name: 'costs', about: '1,000 random cost vectors per code', isSlow: true },
  { name: 'optimal', about: 'the true minimum, up to a minute per code', isSlow: true },
  { name: 'model-array', about: 'replace against the optimum of its model: array codes', isSlow: true },
  { name: 'model-density', about: 'the same: minimum density codes', isSlow: true },
  { name: 'model-crs', about: 'the same: Cauchy Reed-Solomon', isSlow: true },
] as const;

const USAGE = `Usage: npm run bench -- recovery-reads [options] [section ...]

Symbols read for a lost node, as tables and charts beside the paper's figures 1, 2 and 3, and what else the
planners are to reach. Without a section all that are not marked slow; --all for all.

${SECTIONS.map(({ name, about, isSlow }) => `  ${name.padEnd(15)}${about}${isSlow ? ' (slow)' : ''}\n`).join('')}
  --all            the slow ones too
  --out <folder>   where recovery-reads.md, .json and the charts go (default: docs/evaluation)
  --no-write       write no files (otherwise sections that are not run keep their earlier results)
  --help           this text
`;

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  all: { type: 'boolean' },
  out: { type: 'string' },
  'no-write': { type: 'boolean' },
} as const;

export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments(args, OPTIONS);
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  for (const name of positionals) {
    if (!SECTIONS.some((section) => section.name === name)) {
      const names = SECTIONS.map((section) => section.name).join(', ');
      throw new BenchError('USAGE', `no section is called "${name}"; there is: ${names}`);
    }
  }
  const standard = SECTIONS.filter((section) => values.all || !section.isSlow).map(({ name }) => name);
  const names = positionals.length > 0 ? positionals : standard;
  const folder = values.out ?? EVALUATION_FOLDER;
  const isWritten = !values['no-write'];
  const output = isWritten ? ['--out', folder] : [];
  const child = spawn(process.execPath, ['-C', 'larder-source', SECTIONS_FILE, ...names, ...output], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  process.once('exit', () => child.kill());
  const [status, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  if (status === null) throw new BenchError('LOAD', `the evaluation was ended by ${signal}`);
  if (isWritten) process.stdout.write(`wrote ${folder}/recovery-reads.md, .json and charts\n`);
  return status;
}

/**
 * `npm run bench -- <name> [options]`: finds the suite, loads it and runs it. The exit status is the
 * suite's, or 2 for a name that no suite has.
 */
import { BenchError } from './errors.ts';
import { findSuite, SUITES, suitesUsage } from './suites.ts';

const HELP = ['--help', '-h', '--list'];

async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || HELP.includes(name)) {
    process.stdout.write(suitesUsage());
    return 0;
  }
  const suite = findSuite(name);
  if (suite === undefined) {
    const names = SUITES.map((known) => known.name).join(', ');
    throw new BenchError('USAGE', `no benchmark is called "${name}"; there is: ${names}`);
  }
  const { run } = await suite.load();
  return run(rest);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const failure = BenchError.from(error);
  process.stderr.write(`bench: ${failure.message}\n`);
  if (failure.code === 'USAGE') process.stderr.write('Try: npm run bench -- --help\n');
  process.exitCode = failure.code === 'USAGE' || failure.code === 'MISSING' ? 2 : 1;
}

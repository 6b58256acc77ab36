/** `larder erasure codes` and `larder erasure plan`. */
import {
  codeFamilies,
  ErasureError,
  type Objective,
  type PlanRequest,
  plan,
  positionOf,
  type RecoveryPlan,
  type Strategy,
  strategies,
  symbolAt,
} from '@larder/erasure';
import { type Command, Option } from 'commander';
import picocolors from 'picocolors';
import { addCodeFlags, type CodeFlags, codeFromFlags, numberList, usageOf } from '../erasure/code-flags.ts';
import { ErasureFileError } from '../erasure/errors.ts';
import { drawStripe } from '../erasure/stripe-picture.ts';

const PLAN_HELP = `
Strategies:
  conventional   decode from the first nodes that suffice
  replace        the polynomial search of the paper (HoRR), milliseconds
  enumeration    all recovery equations (Khan et al.): exact, exponential
  optimal        the least over all combinations, with a proof or the proven bound when the time is over

Examples:
  larder erasure plan --code star --p 13 --lost 0
  larder erasure plan --code crs --k 10 --m 4 --lost 2,5 --strategy optimal --time 30
  larder erasure plan --code rdp --p 7 --lost 0 --cost 1,1,4,1,1,1,1,1
  larder erasure plan --code hdp --p 7 --lost 1 --rows 0-2 --json`;

const MS_PER_SECOND = 1000;

export function addCodesCommand(erasure: Command): Command {
  return erasure
    .command('codes')
    .summary('list the codes and their parameters')
    .description('Lists the codes, their parameters and what these must satisfy.')
    .option('--json', 'print the list as JSON', false)
    .action(({ json }: { json: boolean }) => {
      process.stdout.write(json ? `${JSON.stringify(codeList(), undefined, 2)}\n` : codeTable());
    });
}

function codeList(): object[] {
  return codeFamilies.map(({ name, title, required, optional, rules }) => ({
    code: name,
    title,
    required,
    optional,
    rules,
  }));
}

function codeTable(): string {
  const rows = [
    ['code', 'name', 'parameters', 'rules'],
    ...codeFamilies.map((family) => [family.name, family.title, usageOf(family), family.rules]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n\nn nodes of ω symbols each hold a stripe; k hold data, any n − k may be lost (any 2 of xcode and hdp).\n`;
}

interface PlanFlags extends CodeFlags {
  readonly lost: string;
  readonly rows?: string;
  readonly missing?: string;
  readonly cost?: string;
  readonly objective: Objective;
  readonly strategy: Strategy;
  readonly time?: string;
  readonly json: boolean;
}

export function addPlanCommand(erasure: Command): Command {
  return addCodeFlags(erasure.command('plan'))
    .summary('what to read to rebuild lost nodes')
    .description('Plans which symbols to read to rebuild lost nodes, and draws them.')
    .requiredOption('--lost <nodes>', 'lost nodes, such as 0 or 0,3')
    .option('--rows <rows>', 'only these rows of the lost node, such as 0-2: a degraded read')
    .option('--missing <nodes>', 'nodes that cannot be read but need not be rebuilt')
    .option('--cost <costs>', 'cost of reading a symbol of each node, such as 1,1,4,1')
    .addOption(
      new Option('--objective <name>', 'total cost, or the slowest node')
        .choices(['total', 'slowest'])
        .default('total'),
    )
    .addOption(new Option('--strategy <name>', 'how to search').choices([...strategies]).default('replace'))
    .option('--time <seconds>', 'limit of enumeration (60) and optimal (10)')
    .option('--json', 'print the plan as JSON', false)
    .addHelpText('after', PLAN_HELP)
    .action((flags: PlanFlags) => planRecovery(flags));
}

function planRecovery(flags: PlanFlags): void {
  const request = requestOf(flags);
  const begun = performance.now();
  let made: RecoveryPlan;
  try {
    made = plan(request);
  } catch (error) {
    if (error instanceof ErasureError && error.code === 'ILLEGAL_ARGUMENT') {
      throw new ErasureFileError('OPTION', error.message, { cause: error });
    }
    throw error;
  }
  const ms = performance.now() - begun;
  const missing = request.missingNodes ?? [];
  const lostNodes = numberList('--lost', flags.lost);
  process.stdout.write(
    flags.json ? `${planJson(made, lostNodes, flags)}\n` : planText(made, lostNodes, missing, ms, flags),
  );
}

function requestOf(flags: PlanFlags): PlanRequest {
  const code = codeFromFlags(flags);
  const lostNodes = numberList('--lost', flags.lost);
  const missing = flags.missing === undefined ? [] : numberList('--missing', flags.missing);
  const costs = flags.cost?.split(',').map((text) => {
    const cost = Number(text);
    if (text.trim() === '' || !Number.isFinite(cost)) {
      throw new ErasureFileError('OPTION', `--cost is a list of numbers such as 1,1,4, not "${flags.cost}"`);
    }
    return cost;
  });
  const seconds = flags.time === undefined ? undefined : Number(flags.time);
  if (seconds !== undefined && !(seconds > 0)) {
    throw new ErasureFileError('OPTION', `--time is a number of seconds, not "${flags.time}"`);
  }
  const shared = {
    code,
    strategy: flags.strategy,
    objective: flags.objective,
    ...(costs && { costs }),
    ...(seconds !== undefined && { timeLimitMs: seconds * MS_PER_SECOND }),
  };
  if (flags.rows === undefined) return { ...shared, lostNodes, missingNodes: missing };
  const [node, ...others] = lostNodes;
  if (node === undefined || others.length > 0) {
    throw new ErasureFileError('OPTION', '--rows is for one lost node');
  }
  if (node >= code.nodes) {
    throw new ErasureFileError('OPTION', `${code.id} has nodes 0..${code.nodes - 1}, not ${node}`);
  }
  const lostSymbols = numberList('--rows', flags.rows).map((row) => {
    if (row < code.rows) return symbolAt(code, node, row);
    throw new ErasureFileError('OPTION', `${code.id} has rows 0..${code.rows - 1}, not ${row}`);
  });
  return { ...shared, lostSymbols, missingNodes: [node, ...missing] };
}

function planJson(made: RecoveryPlan, lost: readonly number[], flags: PlanFlags): string {
  const { code } = made;
  return JSON.stringify(
    {
      code: code.name,
      parameters: code.parameters,
      lost,
      strategy: made.strategy,
      reads: made.reads.length,
      conventionalReads: made.conventionalReads,
      readsPerNode: made.readsPerNode,
      symbols: made.reads.map((symbol) => positionOf(code, symbol)),
      optimality: made.optimality,
      ...(flags.rows === undefined ? {} : { rows: numberList('--rows', flags.rows) }),
      ...(flags.cost === undefined
        ? {}
        : { objective: made.objective, totalCost: made.totalCost, slowestCost: made.slowestCost }),
    },
    undefined,
    2,
  );
}

function planText(
  made: RecoveryPlan,
  lost: readonly number[],
  missing: readonly number[],
  ms: number,
  flags: PlanFlags,
): string {
  const { code, optimality } = made;
  const isPlain = process.stdout.isTTY !== true || process.env.NO_COLOR !== undefined;
  const colors = picocolors.createColors(!isPlain);
  const saved = 100 * (1 - made.reads.length / made.conventionalReads);
  const what =
    flags.rows === undefined
      ? `lost ${lost.length === 1 ? 'node' : 'nodes'} ${lost.join(', ')}`
      : `rows ${flags.rows} of node ${lost[0]}`;
  const bound = Math.ceil(optimality.lowerBound - 1e-9);
  const isCosted = flags.cost !== undefined || made.objective !== 'total';
  const proof = optimality.proven
    ? 'proven: nothing is better'
    : `not proven; nothing is below ${isCosted ? optimality.lowerBound.toFixed(2) : bound}`;
  const line = (name: string, text: string): string => `  ${name.padEnd(14)}${text}\n`;
  return (
    `${colors.bold(code.id)}: ${what}\n\n${drawStripe(made, missing, colors)}\n` +
    line('strategy', `${made.strategy}, ${ms.toFixed(1)} ms`) +
    line(
      'reads',
      `${made.reads.length} symbols (conventional ${made.conventionalReads}, ${saved.toFixed(2)}% saved)`,
    ) +
    (isCosted
      ? line('cost', `total ${made.totalCost.toFixed(2)}, slowest node ${made.slowestCost.toFixed(2)}`)
      : '') +
    line('optimality', proof) +
    line('XORs', String(made.schedule.xors))
  );
}

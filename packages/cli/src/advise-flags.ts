/** The flags of `larder advise pools` and what they mean. */
import { parseInteger, parseSize } from '@larder/host';
import type { Command } from 'commander';

const HELP = `
Watches live servers, memcached or Larder, or reads a capture: the output of watch, or a trace in Twitter's
format (timestamp,key,key_size,value_size,client_id,op,TTL). Nothing is changed anywhere. Watching costs a
busy server noticeable CPU: watch one or two of many and say with --servers how many there are.

Advice per key family (nsdi13, sections 3.2 and 4.2):
  replicate       asked for many keys at a time, too hot for one server, and small enough for one or two
  regional pool   one copy per region instead of one per cluster: few clients per item (table 1), and more of
                  the memory than of the bytes sent justifies
  own pool        writes so much that it pushes other families out
  stay            where it is

Examples:
  larder advise pools --watch 10.0.0.1:11211 --servers 40 --clusters 3
  larder advise pools --watch 10.0.0.1 --watch 10.0.0.2 --seconds 300 --json
  larder advise pools --capture traffic.log --family user: --family timeline:
  zcat cluster4.csv.gz | larder advise pools --capture -

Exit codes: 0 advice was given, 1 no traffic could be read, 2 wrong usage.`;

export interface AdvisePoolsFlags {
  readonly watch: readonly string[];
  readonly capture: readonly string[];
  readonly seconds: string;
  readonly clusters: string;
  readonly servers?: string;
  readonly serverMemory: string;
  readonly serverGets: string;
  readonly family: readonly string[];
  readonly familyDepth: string;
  readonly separators?: string;
  readonly json?: boolean;
}

/** The flags with their numbers read. */
export interface AdvisePoolsOptions {
  readonly seconds: number;
  readonly clusters: number;
  readonly servers: number | undefined;
  readonly serverBytes: number;
  readonly serverGetsPerSecond: number;
  readonly familyDepth: number;
}

export function adviseOptionsFrom(flags: AdvisePoolsFlags): AdvisePoolsOptions {
  return {
    seconds: parseInteger('--seconds', flags.seconds),
    clusters: parseInteger('--clusters', flags.clusters),
    servers: flags.servers === undefined ? undefined : parseInteger('--servers', flags.servers),
    serverBytes: parseSize('--server-memory', flags.serverMemory),
    serverGetsPerSecond: parseInteger('--server-gets', flags.serverGets),
    familyDepth: parseInteger('--family-depth', flags.familyDepth),
  };
}

function collect(value: string, values: readonly string[]): readonly string[] {
  return [...values, value];
}

/** Adds `advise pools`; returns the commands that were added. */
export function addAdviseCommand(
  program: Command,
  advise: (flags: AdvisePoolsFlags) => Promise<void>,
): readonly Command[] {
  const adviseCommand = program.command('advise').summary('look at traffic and say what to change');
  const pools = adviseCommand
    .command('pools')
    .summary('which key families to replicate, regionalise or give a pool of their own')
    .description('Samples traffic by key family and says where each family should live.')
    .option('--watch <address>', 'a server to watch (again for more)', collect, [])
    .option('--capture <file>', 'captured traffic, - for stdin (again for more)', collect, [])
    .option('--seconds <n>', 'how long to watch', '30')
    .option('--clusters <n>', 'front-end clusters of the region that hold copies', '1')
    .option('--servers <n>', 'servers in the cluster; without it those watched are taken to be all')
    .option('--server-memory <size>', 'memory for items of one server', '64g')
    .option('--server-gets <n>', 'gets per second that one server bears', '500000')
    .option('--family <prefix>', 'a family by its prefix (again for more); others are one', collect, [])
    .option('--family-depth <n>', 'parts of a key that make its family', '1')
    .option('--separators <characters>', 'what stands between the parts (:/._-|)')
    .option('--json', 'JSON instead of a table')
    .showHelpAfterError('(larder advise pools --help lists the options)')
    .addHelpText('after', HELP)
    .action(advise);
  return [adviseCommand, pools];
}

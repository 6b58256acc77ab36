/**
 * The benchmarks by name: `npm run bench -- <name> [options]`. A suite is a module with
 * `run(args): Promise<number>`, loaded only when it is asked for, so that one suite's dependencies never
 * stand in the way of another. To add one, add a line here.
 */

export interface SuiteModule {
  /**
   * Runs the suite with the arguments after its name (`--help` among them) and gives the exit status: 0 when
   * every target was met, 1 when one was missed or a case failed, 2 for a command that makes no sense or a
   * missing tool.
   */
  readonly run: (args: readonly string[]) => Promise<number>;
}

export interface Suite {
  readonly name: string;
  /** One line for `--help`. */
  readonly summary: string;
  readonly load: () => Promise<SuiteModule>;
}

export const SUITES: readonly Suite[] = [
  {
    name: 'cache',
    summary: 'the cache server beside memcached, per second of server CPU',
    load: () => import('./cache/run.ts'),
  },
  {
    name: 'client',
    summary: 'the client beside memcache-client, memjs, memcached and memcache, in one Node.js process each',
    load: () => import('./client/run.ts'),
  },
  {
    name: 'leases',
    summary: 'queries that reach the database from hot keys, with leases and without',
    load: () => import('./leases/run.ts'),
  },
  {
    name: 'router',
    summary: "the router beside twemproxy, per second of the proxy's CPU",
    load: () => import('./router/run.ts'),
  },
  {
    name: 'xor',
    summary: 'XOR kernels and encoding beside ISA-L, Jerasure and @ronomon/reed-solomon',
    load: () => import('./xor/run.ts'),
  },
  {
    name: 'recovery-reads',
    summary: "symbols read to rebuild a lost node, beside the paper's figures",
    load: () => import('./recovery-reads/run.ts'),
  },
  {
    name: 'threshold',
    summary: 'from which size on a reference is cheaper than a copy, over every transport',
    load: () => import('./threshold/run.ts'),
  },
  {
    name: 'serialization',
    summary: 'a typed key-value server with every serializer, over sockets and a simulated NIC',
    load: () => import('./serialization/run.ts'),
  },
  {
    name: 'codec',
    summary: 'encoding and decoding alone, every serializer: nanoseconds and allocations per message',
    load: () => import('./codec/run.ts'),
  },
];

export function findSuite(name: string): Suite | undefined {
  return SUITES.find((suite) => suite.name === name);
}

export function suitesUsage(): string {
  const width = Math.max(...SUITES.map((suite) => suite.name.length)) + 2;
  const lines = SUITES.map((suite) => `  ${suite.name.padEnd(width)}${suite.summary}\n`).join('');
  return `Usage: npm run bench -- <name> [options]

${lines}
npm run bench -- <name> --help says what a benchmark measures and takes.
`;
}

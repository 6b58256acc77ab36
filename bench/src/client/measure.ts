/** Runs the clients in turn against one server: one round is one run of each. */
import { fileURLToPath } from 'node:url';
import { BenchError } from '../errors.ts';
import type { BenchProcess, Processes } from '../harness/processes.ts';
import { CLIENT_NAMES, type ClientName, clientVersion } from './contestants.ts';
import {
  type ClientResult,
  type ClientRun,
  clientRun,
  type RunOrder,
  type RunOutcome,
  summarize,
} from './results.ts';

const CONTESTANT = fileURLToPath(new URL('./contestant-process.ts', import.meta.url));

export interface ClientTimes {
  readonly milliseconds: number;
  readonly warmupMilliseconds: number;
  readonly rounds: number;
}

type Message = RunOutcome | { readonly ready: true } | { readonly error: string };

/** A client's process. */
export class ClientProcess {
  readonly name: ClientName;
  readonly #process: BenchProcess;

  private constructor(name: ClientName, process: BenchProcess) {
    this.name = name;
    this.#process = process;
  }

  static async start(
    processes: Processes,
    name: ClientName,
    address: string,
    cpus: string,
  ): Promise<ClientProcess> {
    const started = processes.start(
      `client ${name}`,
      process.execPath,
      ['-C', 'larder-source', CONTESTANT, name, address],
      { cpus, channel: true },
    );
    const client = new ClientProcess(name, started);
    await client.#message();
    return client;
  }

  async run(order: RunOrder): Promise<RunOutcome> {
    const answer = this.#message();
    this.#process.child.send(order);
    const message = await answer;
    if ('gets' in message) return message;
    throw new BenchError('SERVER', 'error' in message ? message.error : `${this.name} sent no result`);
  }

  async #message(): Promise<Message> {
    const { child, ended } = this.#process;
    const { promise, resolve } = Promise.withResolvers<Message>();
    child.once('message', resolve);
    const first = await Promise.race([promise, ended]);
    child.off('message', resolve);
    if (first !== undefined) return first;
    throw new BenchError('SERVER', `${this.name} ended: ${this.#process.output}`);
  }
}

/** One number of callers: a warm-up of each client, then rounds. */
export async function measureCallers(
  clients: readonly ClientProcess[],
  callers: number,
  times: ClientTimes,
): Promise<ClientResult> {
  const runs = new Map<ClientName, ClientRun[]>(CLIENT_NAMES.map((name) => [name, []]));
  for (const client of clients) await client.run({ callers, milliseconds: times.warmupMilliseconds });
  for (let round = 0; round < times.rounds; round++) {
    // Each round begins with another one, so that none always follows the same.
    for (let turn = 0; turn < clients.length; turn++) {
      const client = clients[(round + turn) % clients.length]!;
      const outcome = await client.run({ callers, milliseconds: times.milliseconds });
      runs.get(client.name)!.push(clientRun(outcome));
    }
  }
  return summarize(
    callers,
    clients.map(({ name }) => ({ client: name, version: clientVersion(name), runs: runs.get(name)! })),
  );
}

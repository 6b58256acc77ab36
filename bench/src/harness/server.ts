/**
 * A server under test: started from a command with places to fill in, pinned to CPUs, found ready by
 * connecting to it, and stopped while it is another's turn.
 */
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { BenchError } from '../errors.ts';
import { SERVER_READY_MS } from '../limits.ts';
import type { LoadAddress } from '../load/plan.ts';
import type { BenchProcess, Processes } from './processes.ts';
import { readStats } from './text-client.ts';

/** What a case asks of a server. */
export interface ServerSettings {
  readonly memoryMegabytes: number;
  readonly threads: number;
  /** CPUs that the whole process may use. */
  readonly cpus: string;
  /** How the load reaches it. */
  readonly reach: LoadAddress['kind'];
  /** Forces Larder's transport. */
  readonly transport?: string;
}

/** How to start a kind of server. Each argument may hold {port} {memory} {threads} {socket}. */
export interface ServerCommand {
  readonly title: string;
  readonly program: string;
  readonly args: readonly string[];
  /** Added for each way to reach it. */
  readonly reachArgs: Readonly<Record<LoadAddress['kind'], readonly string[]>>;
}

const LOOPBACK = '127.0.0.1';
const RETRY_MS = 20;

export class BenchServer {
  readonly title: string;
  readonly settings: ServerSettings;
  /** Where the load goes. */
  readonly address: LoadAddress;
  /** Where values are loaded and statistics asked for: the same, unless that is UDP. */
  readonly streamAddress: LoadAddress & { kind: 'tcp' | 'unix' };
  readonly process: BenchProcess;
  readonly #processes: Processes;

  private constructor(
    command: ServerCommand,
    settings: ServerSettings,
    target: BenchProcess,
    processes: Processes,
    port: number,
    socket: string,
  ) {
    this.title = command.title;
    this.settings = settings;
    this.process = target;
    this.#processes = processes;
    this.streamAddress =
      settings.reach === 'unix' ? { kind: 'unix', path: socket } : { kind: 'tcp', host: LOOPBACK, port };
    this.address = settings.reach === 'udp' ? { kind: 'udp', host: LOOPBACK, port } : this.streamAddress;
  }

  static async start(
    processes: Processes,
    command: ServerCommand,
    settings: ServerSettings,
    socketFolder: string,
  ): Promise<BenchServer> {
    const port = await freePort();
    const socket = `${socketFolder}/${command.title}-${port}.sock`;
    const places = new Map([
      ['port', String(port)],
      ['memory', String(settings.memoryMegabytes)],
      ['threads', String(settings.threads)],
      ['socket', socket],
    ]);
    const args = [...command.args, ...command.reachArgs[settings.reach]].map((argument) =>
      argument.replace(/\{(\w+)\}/g, (whole, name: string) => places.get(name) ?? whole),
    );
    const target = processes.start(command.title, command.program, args, {
      cpus: settings.cpus,
      env: settings.transport === undefined ? {} : { LARDER_TRANSPORT: settings.transport },
    });
    const server = new BenchServer(command, settings, target, processes, port, socket);
    await server.#ready();
    return server;
  }

  get pid(): number {
    return this.process.pid;
  }

  stats(argument = '', timeoutMs?: number): Promise<Map<string, string>> {
    const address = this.streamAddress;
    return readStats(address.kind === 'unix' ? { path: address.path } : address, argument, timeoutMs);
  }

  /** Keeps it from running at all, so that it cannot disturb the other. */
  pause(): void {
    this.process.signal('SIGSTOP');
  }

  resume(): void {
    this.process.signal('SIGCONT');
  }

  async stop(): Promise<void> {
    await this.#processes.end(this.process);
  }

  async #ready(): Promise<void> {
    const giveUpAt = performance.now() + SERVER_READY_MS;
    for (;;) {
      try {
        await this.stats();
        return;
      } catch (cause) {
        const said = this.process.output.trim();
        const detail = said === '' ? '' : `; it said:\n${said}`;
        if (this.process.hasEnded) {
          throw new BenchError('SERVER', `${this.title} ended before it was ready${detail}`, { cause });
        }
        if (performance.now() > giveUpAt) {
          throw new BenchError('SERVER', `${this.title} was not ready after ${SERVER_READY_MS} ms${detail}`, {
            cause,
          });
        }
        await delay(RETRY_MS);
      }
    }
  }
}

/** A port that nobody listens on at the moment. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen(0, LOOPBACK, resolve);
  });
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new BenchError('SERVER', 'no free port');
  return address.port;
}

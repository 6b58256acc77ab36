/** A process of the benchmark that is asked by messages and answers each with one. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { BenchError } from '../../errors.ts';
import type { BenchProcess, Processes } from '../../harness/processes.ts';

interface Failed {
  readonly kind: 'failed';
  readonly code: string;
  readonly text: string;
}

export class PeerProcess<Command extends object, Reply extends { readonly kind: string }> {
  readonly #process: BenchProcess;
  readonly #processes: Processes;

  constructor(
    processes: Processes,
    title: string,
    module: string,
    cpus: string,
    flags: readonly string[] = [],
  ) {
    const main = fileURLToPath(new URL(module, import.meta.url));
    const args = ['-C', 'larder-source', ...flags, main];
    this.#processes = processes;
    this.#process = processes.start(title, process.execPath, args, { cpus, channel: true });
  }

  get pid(): number {
    return this.#process.pid;
  }

  async ask<K extends Reply['kind']>(command: Command, expected: K): Promise<Extract<Reply, { kind: K }>> {
    const { child, title } = this.#process;
    const reply = await new Promise<Reply | Failed>((resolve, reject) => {
      const ended = (): void => {
        reject(new BenchError('SERVER', `${title} ended: ${this.#process.output.trim()}`));
      };
      child.once('exit', ended);
      child.once('message', (message) => {
        child.off('exit', ended);
        resolve(message as Reply | Failed);
      });
      child.send(command);
    });
    if (reply.kind === 'failed') {
      const { code, text } = reply as Failed;
      throw new BenchError(code, `${title}: ${text}`);
    }
    if (reply.kind !== expected) throw new BenchError('SERVER', `${title} answered ${reply.kind}`);
    return reply as Extract<Reply, { kind: K }>;
  }

  async stop(): Promise<void> {
    await this.#processes.end(this.#process);
  }

  /** From now on all its threads run on these CPUs. */
  pin(cpus: string): void {
    execFileSync('taskset', ['-acp', cpus, String(this.pid)], { stdio: 'ignore' });
  }

  /** At once: for a process whose thread is in the kernel. */
  async kill(): Promise<void> {
    this.#process.signal('SIGKILL');
    await this.#process.ended;
  }
}

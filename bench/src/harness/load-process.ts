/**
 * The load generator as a process of its own on its own CPU, driven by messages.
 */
import { fileURLToPath } from 'node:url';
import { BenchError } from '../errors.ts';
import type { KeySpacePlan, LoadCommand, LoadReply, RunPlan, RunResult } from '../load/plan.ts';
import type { BenchProcess, Processes } from './processes.ts';

const MAIN = fileURLToPath(new URL(import.meta.resolve('../load/main.ts')));

export class LoadProcess {
  readonly #process: BenchProcess;
  readonly #processes: Processes;

  private constructor(target: BenchProcess, processes: Processes) {
    this.#process = target;
    this.#processes = processes;
  }

  /** Starts it and has it lay out the keys and values. */
  static async start(
    processes: Processes,
    cpus: string,
    space: KeySpacePlan,
    transport?: string,
  ): Promise<LoadProcess> {
    // Collecting on the thread itself, and when it is told to, leaves no helper threads to share the CPU with.
    const args = ['-C', 'larder-source', '--single-threaded-gc', '--expose-gc', MAIN];
    const target = processes.start('the load generator', process.execPath, args, { cpus, channel: true });
    const load = new LoadProcess(target, processes);
    await load.#ask({ kind: 'prepare', space, ...(transport === undefined ? {} : { transport }) });
    return load;
  }

  async run(plan: RunPlan): Promise<RunResult> {
    const reply = await this.#ask({ kind: 'run', plan });
    if (reply.kind !== 'result') throw new BenchError('LOAD', `the load generator answered ${reply.kind}`);
    return reply.result;
  }

  async stop(): Promise<void> {
    await this.#processes.end(this.#process);
  }

  #ask(command: LoadCommand): Promise<LoadReply> {
    const { child } = this.#process;
    return new Promise((resolve, reject) => {
      const ended = (): void => {
        reject(new BenchError('LOAD', `the load generator ended: ${this.#process.output.trim()}`));
      };
      child.once('exit', ended);
      child.once('message', (message) => {
        child.off('exit', ended);
        const reply = message as LoadReply;
        if (reply.kind === 'failed') reject(new BenchError(reply.code, reply.text));
        else resolve(reply);
      });
      child.send(command);
    });
  }
}

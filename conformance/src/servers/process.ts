/** A server's process: started, watched, and ended by its own id. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { until } from '../client/until.ts';
import type { ServerExit } from './server.ts';

const START_MS = 30_000;
const STOP_MS = 20_000;
const LOG_CHARACTERS_MAX = 1 << 20;
const KIBIBYTE_BYTES = 1024;

/** Processes still running, so that an aborted test run leaves none behind. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class ServerProcess {
  readonly #child: ChildProcess;
  readonly pid: number;
  readonly exited: Promise<ServerExit>;
  #log = '';
  #exit: ServerExit | undefined;

  constructor(command: string, parameters: readonly string[], environment: NodeJS.ProcessEnv) {
    const child = spawn(command, parameters, {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.pid = child.pid ?? 0;
    running.add(child);
    const collect = (text: string): void => {
      this.#log = (this.#log + text).slice(-LOG_CHARACTERS_MAX);
    };
    child.stdout?.setEncoding('utf8').on('data', collect);
    child.stderr?.setEncoding('utf8').on('data', collect);
    this.exited = new Promise((resolve) => {
      child.on('error', (error) => {
        collect(String(error));
        running.delete(child);
        this.#exit = { code: -1, signal: null };
        resolve(this.#exit);
      });
      // 'close' comes after the last output, so that the log is complete when the exit is known.
      child.on('close', (code, signal) => {
        running.delete(child);
        this.#exit = { code, signal };
        resolve(this.#exit);
      });
    });
  }

  log(): string {
    return this.#log;
  }

  /** Polls `ready` until it returns a value; ends with the log when the process exits or the limit passes. */
  async started<T>(ready: () => T | undefined): Promise<T> {
    try {
      return await until<T>(
        'the server is ready',
        () => {
          if (this.#exit) throw new Error(`the server ended with ${JSON.stringify(this.#exit)}`);
          return ready();
        },
        START_MS,
      );
    } catch (cause) {
      await this.kill();
      throw new Error(`the server did not start:\n${this.#log}`, { cause });
    }
  }

  residentBytes(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'latin1');
    const found = /^VmRSS:\s+(\d+) kB$/m.exec(status);
    return Number(found?.[1] ?? 0) * KIBIBYTE_BYTES;
  }

  /** Sends `signal` and waits; a process that does not end in time is killed, and that is an error. */
  async stop(signal: NodeJS.Signals): Promise<ServerExit> {
    if (this.#exit) return this.#exit;
    this.#child.kill(signal);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), STOP_MS);
    });
    const exit = await Promise.race([this.exited, late]);
    clearTimeout(timer);
    if (exit) return exit;
    await this.kill();
    throw new Error(`the server did not end within ${STOP_MS} ms of ${signal}:\n${this.#log}`);
  }

  async kill(): Promise<ServerExit> {
    if (!this.#exit) this.#child.kill('SIGKILL');
    return await this.exited;
  }
}

/** One cache server of `larder up`: a process of its own, so that it can be killed like one. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { HostError } from '@larder/host';

/** The command's entry beside this file's folder: source when this is source, compiled when this is compiled. */
const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const MAIN = fileURLToPath(new URL(`../main.${EXTENSION}`, import.meta.url));
const START_WAIT_MS = 20_000;
const STOP_WAIT_MS = 5_000;

export interface CacheProcessOptions {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Further flags of `larder serve`. */
  readonly flags: readonly string[];
  /** It ended although nobody had asked it to. */
  readonly onDeath: (process: CacheProcess, how: string) => void;
}

export class CacheProcess {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly #options: CacheProcessOptions;
  #child: ChildProcess | undefined;
  #isStopping = false;

  constructor(options: CacheProcessOptions) {
    this.#options = options;
    this.name = options.name;
    this.host = options.host;
    this.port = options.port;
  }

  get address(): string {
    return `${this.host}:${this.port}`;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** Resolves when it serves; throws a HostError when it does not come to that. */
  start(): Promise<void> {
    const args = [
      'serve',
      '-v',
      '-l',
      this.host,
      '-p',
      String(this.port),
      '--no-admin',
      ...this.#options.flags,
    ];
    // The channel tells it when this process is gone, however that came about.
    const child = spawn(process.execPath, [...process.execArgv, MAIN, ...args], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child = child;
    this.#isStopping = false;
    return new Promise((resolve, reject) => {
      let log = '';
      const failed = (why: string): void =>
        reject(new HostError('ERROR', `${this.name} did not start: ${why}\n${log.trim()}`));
      const timer = setTimeout(() => failed(`not ready after ${START_WAIT_MS} ms`), START_WAIT_MS);
      child.stderr!.setEncoding('utf8').on('data', (text: string) => {
        if (log.length < 10_000) log += text;
        if (!log.includes('"msg":"serving"')) return;
        clearTimeout(timer);
        resolve();
      });
      child.once('error', (error) => failed(error.message));
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        failed(`it ended with ${signal ?? `code ${code}`}`);
        this.#ended(child, signal ?? `code ${code}`);
      });
    });
  }

  /** As `kill -9` does. False when it is not running. */
  kill(): boolean {
    return this.#child?.kill('SIGKILL') ?? false;
  }

  /** Ends it in order, or not in order when that takes too long. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#isStopping = true;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WAIT_MS);
    await ended;
    clearTimeout(timer);
  }

  #ended(child: ChildProcess, how: string): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    if (!this.#isStopping) this.#options.onDeath(this, how);
  }
}

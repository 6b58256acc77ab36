/**
 * The processes that a benchmark started. Every one of them is ended by its id: at the end, on an error, and
 * when the benchmark itself is interrupted.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { BenchError } from '../errors.ts';
import { SERVER_STOP_MS } from '../limits.ts';

export interface ProcessOptions {
  /** CPUs for `taskset`, such as `0` or `0,1`. */
  readonly cpus: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Opens a message channel for a Node.js child. */
  readonly channel?: boolean;
}

/** How much of a child's output is kept for error messages. */
const OUTPUT_CHARACTERS_MAX = 4000;

export class BenchProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly title: string;
  /** The end of what it printed. */
  output = '';
  readonly ended: Promise<void>;
  hasEnded = false;

  constructor(child: ChildProcess, title: string) {
    if (child.pid === undefined) throw new BenchError('MISSING', `${title} could not be started`);
    this.child = child;
    this.pid = child.pid;
    this.title = title;
    const keep = (data: Buffer): void => {
      this.output = (this.output + data.toString('latin1')).slice(-OUTPUT_CHARACTERS_MAX);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    this.ended = new Promise((resolve) => {
      child.once('exit', () => {
        this.hasEnded = true;
        resolve();
      });
    });
  }

  signal(name: NodeJS.Signals): void {
    if (!this.hasEnded) this.child.kill(name);
  }
}

export class Processes {
  readonly #running = new Set<BenchProcess>();
  readonly #onInterrupt = (): void => {
    this.killAll();
    process.exit(130);
  };

  constructor() {
    process.once('SIGINT', this.#onInterrupt);
    process.once('SIGTERM', this.#onInterrupt);
    process.once('SIGHUP', this.#onInterrupt);
    process.once('exit', () => this.killAll());
  }

  /** Starts a program pinned to CPUs. */
  start(title: string, program: string, args: readonly string[], options: ProcessOptions): BenchProcess {
    const child = spawn('taskset', ['-c', options.cpus, program, ...args], {
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe', ...(options.channel === true ? ['ipc' as const] : [])],
      serialization: 'json',
    });
    child.on('error', () => {
      // Reported by whoever waits for the process: it has no pid, or ends at once.
    });
    const started = new BenchProcess(child, title);
    this.#running.add(started);
    void started.ended.then(() => this.#running.delete(started));
    return started;
  }

  /** Ends one process: politely, then not. */
  async end(target: BenchProcess): Promise<void> {
    if (target.hasEnded) return;
    // A stopped process would not see the request to end.
    target.signal('SIGCONT');
    target.signal('SIGTERM');
    const timer = setTimeout(() => target.signal('SIGKILL'), SERVER_STOP_MS);
    await target.ended;
    clearTimeout(timer);
  }

  async endAll(): Promise<void> {
    await Promise.all([...this.#running].map((target) => this.end(target)));
  }

  /** At once and without waiting: for exits. */
  killAll(): void {
    for (const target of this.#running) target.signal('SIGKILL');
  }
}

/** Fails with advice when a program is not installed. */
export function requireProgram(program: string, debianPackage: string): void {
  const found = spawnSync('sh', ['-c', `command -v "$1"`, 'sh', program], { stdio: 'ignore' }).status === 0;
  if (found) return;
  throw new BenchError(
    'MISSING',
    `${program} is not installed; the benchmark compares with it or needs it (Debian: apt-get install ${debianPackage})`,
  );
}

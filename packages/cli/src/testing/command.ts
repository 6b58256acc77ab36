/** A command line as a process: its output, and its exit code. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

export const MAIN: string = fileURLToPath(new URL('../main.ts', import.meta.url));
const WAIT_MS = 20_000;

const running = new Set<ChildProcess>();
after(() => {
  for (const child of running) child.kill('SIGKILL');
});

export class Command {
  readonly child: ChildProcess;
  readonly exit: Promise<number | string>;
  output = '';
  errors = '';
  #check: () => void = () => {};

  constructor(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    this.child = child;
    running.add(child);
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
      this.#check();
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text;
      this.#check();
    });
    this.exit = once(child, 'close').then(([code, signal]) => {
      running.delete(child);
      this.#check();
      return (code as number | null) ?? (signal as string);
    });
  }

  /** Resolves with the match once the output, of both kinds, holds it. */
  until(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no ${pattern} in\n${this.output}${this.errors}`)),
        WAIT_MS,
      );
      this.#check = () => {
        const match = pattern.exec(this.output + this.errors);
        if (match !== null) {
          clearTimeout(timer);
          resolve(match);
        } else if (!running.has(this.child)) {
          clearTimeout(timer);
          reject(new Error(`ended without ${pattern}:\n${this.output}${this.errors}`));
        }
      };
      this.#check();
    });
  }
}

/** The command as it is run from source. */
export function larder(...args: string[]): Command {
  return new Command(process.execPath, ['-C', 'larder-source', MAIN, ...args]);
}

/**
 * Files that appear whole or not at all: written under a temporary name in the same folder, and renamed when
 * everything is right. Whatever goes wrong, an interrupt included, no temporary file stays behind.
 */
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { access, type FileHandle, open, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ErasureFileError, fileFailure } from './errors.ts';

const INTERRUPTED_EXIT_CODE = 130;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

interface Pending {
  /** Undefined while it is being opened: an interrupt may come before the answer. */
  handle: FileHandle | undefined;
  readonly temporary: string;
  readonly path: string;
}

export class TemporaryFiles implements AsyncDisposable {
  readonly #pending: Pending[] = [];
  readonly #isForced: boolean;
  readonly #onSignal = (): void => {
    this.#removeAll();
    process.exit(INTERRUPTED_EXIT_CODE);
  };

  /** Without `isForced` existing files are not replaced. */
  constructor(isForced: boolean) {
    this.#isForced = isForced;
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
  }

  /** Opens a file that will have this path. */
  async create(path: string): Promise<FileHandle> {
    await this.#requireAbsent(path);
    const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
    const pending: Pending = { handle: undefined, temporary, path };
    this.#pending.push(pending);
    try {
      pending.handle = await open(temporary, 'wx');
      return pending.handle;
    } catch (error) {
      throw fileFailure(path, 'write', error);
    }
  }

  /** Everything written so far gets its name, in the order of creation. */
  async commit(): Promise<void> {
    for (const { path } of this.#pending) await this.#requireAbsent(path);
    for (const { handle, path } of this.#pending) {
      try {
        await handle?.sync();
        await handle?.close();
      } catch (error) {
        throw fileFailure(path, 'write', error);
      }
    }
    while (this.#pending.length > 0) {
      const { temporary, path } = this.#pending[0]!;
      await rename(temporary, path).catch((error: unknown) => {
        throw fileFailure(path, 'write', error);
      });
      this.#pending.shift();
    }
  }

  async #requireAbsent(path: string): Promise<void> {
    if (this.#isForced) return;
    const exists = await access(path).then(
      () => true,
      () => false,
    );
    if (exists) throw new ErasureFileError('EXISTS', `${path} is there already`);
  }

  #removeAll(): void {
    for (const { temporary } of this.#pending) rmSync(temporary, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
    // Closing a handle twice is an error, and of no interest here.
    await Promise.allSettled(this.#pending.map(({ handle }) => handle?.close()));
    this.#removeAll();
  }
}

/** What `watch mutations` and `stats detail` are told of keys that the typed protocol stores. */
import type { Store, StoreResult } from '@larder/cache';
import type { SessionContext } from '../session/context.ts';
import { statusName } from '../session/storage.ts';
import type { RequestMemory } from './request-memory.ts';
import type { RpcOutput } from './rpc-output.ts';

export class StoreLog {
  readonly #context: SessionContext;
  readonly #store: Store;
  readonly #request: RequestMemory;
  #slabClass = 0;
  #bytes = 0;

  constructor(context: SessionContext, request: RequestMemory) {
    this.#context = context;
    this.#store = context.store;
    this.#request = request;
  }

  /** Whether every item that is stored must be looked at. */
  get isWatched(): boolean {
    return this.#context.watchesStores;
  }

  /** A key is to be stored. */
  begin(): void {
    this.#slabClass = 0;
    this.#bytes = 0;
    const { detail } = this.#context.options.statistics;
    if (!detail.enabled) return;
    const { keyOffset, keyBytes } = this.#request;
    detail.recordSet(this.#context.prefixText(keyOffset, keyBytes));
  }

  /** What is to be linked; when it is, it may be gone at once. */
  note(item: number): void {
    if (!this.isWatched) return;
    this.#slabClass = this.#store.slabClass(item);
    this.#bytes = this.#store.valueBytes(item);
  }

  /** What became of it; `result` is also what `create` says: 0 without memory, -1 when it is too large. */
  end(output: RpcOutput, command: string, exptime: number, result: StoreResult | 0 | -1): void {
    if (!this.isWatched) return;
    const { keyOffset, keyBytes } = this.#request;
    const key = this.#context.keyText(keyOffset, keyBytes);
    const status = result === 0 ? 'no_memory' : result === -1 ? 'too_large' : statusName(result);
    this.#context.logStore(output, key, status, command, exptime, this.#slabClass, this.#bytes);
  }
}

/** One key that a caller waits for: the only object that a get costs besides its promise. */
import type { CacheError } from '../errors.ts';
import type { ValueSchema } from '../values/codec.ts';

export class PendingGet {
  /** One character per byte. */
  readonly wireKey: string;
  /** The caller's key, for errors. */
  readonly key: string;
  readonly schema: ValueSchema<never, unknown> | undefined;
  readonly resolve: (value: unknown) => void;
  /** Where trouble goes when the caller asked for it; otherwise trouble is a miss. */
  readonly reject: ((error: CacheError) => void) | undefined;
  /** Where the key lies in the batch's request. */
  start: number = 0;
  /** Its value has been seen in the reply. */
  isAnswered: boolean = false;

  constructor(
    wireKey: string,
    key: string,
    schema: ValueSchema<never, unknown> | undefined,
    resolve: (value: unknown) => void,
    reject: ((error: CacheError) => void) | undefined,
  ) {
    this.wireKey = wireKey;
    this.key = key;
    this.schema = schema;
    this.resolve = resolve;
    this.reject = reject;
  }
}

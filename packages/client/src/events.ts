/** The events of a cache, typed. None of them has to be listened to: trouble is not an `error` event. */
import { EventEmitter } from 'node:events';
import type { CacheError } from './errors.ts';

/** Where trouble happened. */
export interface Trouble {
  readonly operation: string;
  /** The caller's key, or '' when there are many. */
  readonly key: string;
  readonly error: CacheError;
}

export interface CacheEvents {
  /** A request failed. The caller got a miss, `false` or `undefined`, unless it asked for an exception. */
  readonly trouble: readonly [trouble: Trouble];
  /** The health of a server changed. */
  readonly server: readonly [
    change: { readonly address: string; readonly isUp: boolean; readonly reason: string },
  ];
  /** The servers or the route configuration were replaced. */
  readonly reload: readonly [];
  /** A new list or configuration was bad or could not be read; the old one goes on working. */
  readonly reloadFailed: readonly [error: CacheError];
  /** Something an operator should know: of the spool, or of a configuration. */
  readonly notice: readonly [text: string];
  /** A refresh in the background failed; `error` is what the factory threw. */
  readonly refreshFailed: readonly [failure: { readonly key: string; readonly error: unknown }];
  /** Nothing works any more after this. */
  readonly close: readonly [];
}

type EventArguments = { [Name in keyof CacheEvents]: [...CacheEvents[Name]] };

export class CacheEmitter extends EventEmitter<EventArguments> {
  constructor() {
    super();
    // Adapters listen too, and a service may have one for each of many namespaces.
    this.setMaxListeners(0);
  }
}

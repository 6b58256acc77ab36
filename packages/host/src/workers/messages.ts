/**
 * What every worker tells the main thread, and is told by it; each kind of process has messages of its own beside
 * these.
 *
 * ```
 *   worker    ──ready(waker)──▶          ──serving──▶      ──log …──▶   ──stopped──▶
 *   main                       ◀──start(wakers)──
 * ```
 */
import type { WakerHandle } from '@larder/datapath';

/** When all workers are ready: from now on each can wake the others. */
export interface StartMessage {
  readonly type: 'start';
  readonly wakers: readonly WakerHandle[];
}

export interface LogMessage {
  readonly type: 'log';
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly text: string;
}

export type LifeMessage =
  | { readonly type: 'ready'; readonly waker: WakerHandle }
  | { readonly type: 'serving' }
  | LogMessage
  | { readonly type: 'stopped' };

const LIFE_TYPES: ReadonlySet<string> = new Set(['ready', 'serving', 'log', 'stopped']);

export function isLifeMessage(message: { readonly type: string }): message is LifeMessage {
  return LIFE_TYPES.has(message.type);
}

/**
 * What `watch` shows. The session composes a line only when somebody watches its category; the server carries
 * it to the watching connections, which may belong to other threads, and puts `ts=` and `gid=` in front.
 */
import type { Connection } from '@larder/datapath';
import type { Session } from './session.ts';

/** Bits of the categories that can be watched. */
export const EventCategory: {
  readonly fetchers: 1;
  readonly mutations: 2;
  readonly evictions: 4;
  readonly connevents: 8;
  readonly deletions: 16;
} = { fetchers: 1, mutations: 2, evictions: 4, connevents: 8, deletions: 16 };
export type EventCategory = (typeof EventCategory)[keyof typeof EventCategory];

export const WatchResult: { readonly ok: 'ok'; readonly tooMany: 'too-many'; readonly failed: 'failed' } = {
  ok: 'ok',
  tooMany: 'too-many',
  failed: 'failed',
};
export type WatchResult = (typeof WatchResult)[keyof typeof WatchResult];

export interface EventLog {
  /** The bits of all categories that anybody watches, now. Called once per batch of requests. */
  wanted(): number;
  /** Gives out a line such as `type=item_get key=a status=found clsid=1 cfd=12 size=5`, no line break. */
  write(category: EventCategory, line: string): void;
  /** From now on lines of the categories in `mask` are written to this connection. */
  watch(connection: Connection<Session>, mask: number): WatchResult;
  /** A watching connection was closed. */
  unwatch(connection: Connection<Session>): void;
}

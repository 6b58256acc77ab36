/**
 * A store for @fastify/session.
 *
 * ```
 *   fastify.register(fastifySession, { store: new LarderSessionStore({ cache }), secret });
 * ```
 */
import type { SessionStore } from '@fastify/session';
import { SessionItems, type SessionStoreOptions, settle } from './session-items.ts';

export type { SessionStoreOptions } from './session-items.ts';

type Session = Parameters<SessionStore['set']>[1];

export class LarderSessionStore implements SessionStore {
  readonly #items: SessionItems;

  constructor(options: SessionStoreOptions) {
    this.#items = new SessionItems(options);
  }

  get(id: string, callback: (error: unknown, session?: Session | null) => void): void {
    settle(this.#items.get<Session>(id), callback);
  }

  set(id: string, session: Session, callback: (error?: unknown) => void): void {
    settle(this.#items.set(id, session), callback);
  }

  destroy(id: string, callback: (error?: unknown) => void): void {
    settle(this.#items.destroy(id), callback);
  }
}

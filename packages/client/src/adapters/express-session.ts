/**
 * A store for express-session.
 *
 * ```
 *   app.use(session({ store: new LarderSessionStore({ cache }), secret, resave: false, saveUninitialized: false }));
 * ```
 */
import session, { type SessionData } from 'express-session';
import { SessionItems, type SessionStoreOptions, settle } from './session-items.ts';

export type { SessionStoreOptions } from './session-items.ts';

export class LarderSessionStore extends session.Store {
  readonly #items: SessionItems;

  constructor(options: SessionStoreOptions) {
    super();
    this.#items = new SessionItems(options);
  }

  override get(id: string, callback: (error: unknown, session?: SessionData | null) => void): void {
    settle(this.#items.get<SessionData>(id), callback);
  }

  override set(id: string, data: SessionData, callback?: (error?: unknown) => void): void {
    settle(this.#items.set(id, data), callback);
  }

  override destroy(id: string, callback?: (error?: unknown) => void): void {
    settle(this.#items.destroy(id), callback);
  }

  override touch(id: string, data: SessionData, callback?: () => void): void {
    settle(this.#items.touch(id, data), callback);
  }
}

/**
 * ASCII authentication (`-Y`): the first request of a connection is a `set` whose data block is
 * `user password`; key, flags and expiry time mean nothing. Until it has succeeded nothing else is answered.
 *
 * ```
 *   set <key> <flags> <exptime> <bytes>\r\n<user> <password>\r\n
 *   STORED | CLIENT_ERROR unauthenticated | CLIENT_ERROR authentication failure | …
 * ```
 */
import { CRLF_16, NOT_A_NUMBER, readUnsigned, VALUE_BYTES_MAX } from '@larder/protocol';
import type { SessionContext } from './context.ts';
import { AUTH_CMDS, AUTH_ERRORS } from './counters.ts';
import type { SessionOutput } from './output.ts';
import { STORED } from './replies.ts';
import { type Session, SessionState } from './session.ts';
import { TERMINATOR_BYTES } from './storage.ts';

/** A user and a password; a longer block is thrown away and refused. */
const CREDENTIALS_BYTES_MAX = 1024;

export class Authentication {
  readonly #context: SessionContext;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** The line in the context's tokens, of a connection that has not authenticated. */
  line(session: Session, output: SessionOutput): void {
    const { tokens, replies, u8 } = this.#context;
    const isSet = tokens.count >= 5 && tokens.is(0, 'set');
    const bytes = isSet ? readUnsigned(u8, tokens.start[4]!, tokens.end[4]!, VALUE_BYTES_MAX) : NOT_A_NUMBER;
    if (bytes === NOT_A_NUMBER) {
      replies.line(output, 'CLIENT_ERROR unauthenticated');
      return;
    }
    if (bytes > CREDENTIALS_BYTES_MAX) {
      this.#count(false);
      replies.line(output, 'CLIENT_ERROR authentication failure');
      session.restBytes = bytes + TERMINATOR_BYTES;
      session.state = SessionState.swallow;
      return;
    }
    session.restBytes = bytes + TERMINATOR_BYTES;
    session.state = SessionState.credentials;
  }

  /** The data block; returns where the next request begins, or `at` while it is incomplete. */
  block(session: Session, output: SessionOutput, at: number, end: number): number {
    const bytes = session.restBytes;
    if (end - at < bytes) return at;
    session.state = SessionState.line;
    session.restBytes = 0;
    const textEnd = at + bytes - TERMINATOR_BYTES;
    const { replies, arena } = this.#context;
    if (arena.view.getUint16(textEnd, true) !== CRLF_16) {
      replies.line(output, 'CLIENT_ERROR bad command line termination');
      return at + bytes;
    }
    const words = arena.node.toString('latin1', at, textEnd).split(' ').filter(Boolean);
    const [user, password] = words;
    if (user === undefined || password === undefined) {
      replies.line(output, 'CLIENT_ERROR bad authentication token format');
      return at + bytes;
    }
    session.authenticated = this.#context.options.authenticator?.accepts(user, password) ?? true;
    this.#count(session.authenticated);
    if (session.authenticated) replies.fixed(output, STORED);
    else replies.line(output, 'CLIENT_ERROR authentication failure');
    return at + bytes;
  }

  #count(accepted: boolean): void {
    const { counters } = this.#context;
    counters[AUTH_CMDS]! += 1;
    if (!accepted) counters[AUTH_ERRORS]! += 1;
  }
}

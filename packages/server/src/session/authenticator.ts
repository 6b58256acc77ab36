/**
 * Decides whether a user and password are right (`-Y`). The file is read elsewhere; the comparison takes the
 * same time wherever the first difference is and whichever entry matches.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

export interface Authenticator {
  /** `token` is `user` and `password` joined by a colon, as in the authentication file. */
  accepts(user: string, password: string): boolean;
}

/** An authenticator over the `user:password` lines of an authentication file. */
export class TokenAuthenticator implements Authenticator {
  readonly #key: Buffer = randomBytes(32);
  readonly #digests: Buffer[];

  constructor(tokens: Iterable<string>) {
    this.#digests = Array.from(tokens, (token) => this.#digest(token));
  }

  accepts(user: string, password: string): boolean {
    const given = this.#digest(`${user}:${password}`);
    let accepted = 0;
    // Every entry is compared, so that the time does not tell which one was right.
    for (const digest of this.#digests) accepted |= timingSafeEqual(digest, given) ? 1 : 0;
    return accepted === 1;
  }

  /** Keyed hashes have one length and reveal nothing about where two passwords differ. */
  #digest(token: string): Buffer {
    return createHmac('sha256', this.#key).update(token, 'latin1').digest();
  }
}

/**
 * Which child gave a lease token that was not the first child's: the lease-set has to go back there, since a token
 * means nothing to another server. Filled only while failovers happen; bounded, the oldest go first.
 */
import type { Request } from '../request.ts';

const PAIRS_MAX = 65_536;

export class LeasePairs {
  readonly #children: Map<string, number> = new Map();

  get count(): number {
    return this.#children.size;
  }

  remember(request: Request, token: bigint, child: number): void {
    if (this.#children.size >= PAIRS_MAX) {
      for (const oldest of this.#children.keys()) {
        this.#children.delete(oldest);
        break;
      }
    }
    this.#children.set(`${token} ${request.keyText}`, child);
  }

  /** The child of the lease-set's token, once; undefined when it came from the usual place. */
  take(request: Request): number | undefined {
    if (this.#children.size === 0) return undefined;
    const name = `${request.token} ${request.keyText}`;
    const child = this.#children.get(name);
    if (child !== undefined) this.#children.delete(name);
    return child;
  }
}

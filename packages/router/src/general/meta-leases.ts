/**
 * Who gave the leases that meta gets have won (`W`): plain memcached numbers its items from 1 on, so that the token of
 * one server, or of an earlier life of one, may be the token of another. Which is why an `ms` or `md` that brings one
 * back (`C`) goes to that server in that life, or nowhere. Kept for each connection, since clients fill over the one
 * that they asked on; a token that came over another one goes where the key does.
 */
import { type LeaseIssuer, Operation, type Reply, type Request } from '@larder/routing';
import { LEASES_PER_CLIENT_MAX } from '../limits.ts';

interface Lease {
  readonly cas: string;
  readonly issuer: LeaseIssuer;
}

const WON = 'W'.charCodeAt(0);

export class MetaLeases {
  readonly #byClient: WeakMap<object, Map<string, Lease>> = new WeakMap();

  /** Notes the lease that a reply gives. */
  remember(client: object, request: Request, reply: Reply): void {
    if (request.operation !== Operation.metaGet || !reply.metaFlags.includes(WON)) return;
    const { issuer } = reply;
    const cas = flagOf(reply.metaFlags, 'c');
    if (issuer === undefined || cas === undefined || flagOf(reply.metaFlags, 'W') === undefined) return;
    let leases = this.#byClient.get(client);
    if (leases === undefined) {
      leases = new Map();
      this.#byClient.set(client, leases);
    }
    leases.delete(request.keyText);
    if (leases.size >= LEASES_PER_CLIENT_MAX) leases.delete(leases.keys().next().value!);
    leases.set(request.keyText, { cas, issuer });
  }

  /** The request bound to who gave its token, once; the very same one when that is not known. */
  bind(client: object, request: Request): Request {
    if (request.operation !== Operation.metaSet && request.operation !== Operation.metaDelete) return request;
    const leases = this.#byClient.get(client);
    const lease = leases?.get(request.keyText);
    if (leases === undefined || lease === undefined || flagOf(request.metaFlags, 'C') !== lease.cas)
      return request;
    leases.delete(request.keyText);
    const bound = request.copy();
    bound.issuer = lease.issuer;
    return bound;
  }
}

function flagOf(flags: Buffer, letter: string): string | undefined {
  for (const word of flags.toString('latin1').split(' ')) if (word.startsWith(letter)) return word.slice(1);
  return undefined;
}

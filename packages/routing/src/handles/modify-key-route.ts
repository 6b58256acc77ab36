/**
 * Hands the request on with its key changed: `set_routing_prefix` replaces the routing prefix,
 * `ensure_key_prefix` is put in front of keys that do not begin with it, in place of `replace_key_prefix` where the
 * key begins with that, or over the key's first bytes with `modify_inplace`.
 */
import { KEY_BYTES_MAX } from '@larder/protocol';
import { z } from 'zod';
import { defineRouteHandle, type RouteHandleDefinition, routeJson } from '../registry.ts';
import { Reply, Result } from '../reply.ts';
import type { Request } from '../request.ts';
import type { MightAsk, RouteHandle } from '../route-handle.ts';
import { routingPrefixOf, withKey } from './request-key.ts';

export interface KeyChange {
  /** undefined leaves the routing prefix as it is, '' takes it away. */
  readonly routingPrefix: string | undefined;
  readonly keyPrefix: string;
  readonly replaced: string | undefined;
  readonly inPlace: boolean;
}

export class ModifyKeyRoute implements RouteHandle {
  readonly name: string = 'modify-key';
  readonly children: readonly RouteHandle[];
  readonly #routingPrefix: Buffer | undefined;
  readonly #keyPrefix: Buffer;
  readonly #replaced: Buffer | undefined;
  readonly #inPlace: boolean;

  constructor(target: RouteHandle, change: KeyChange) {
    this.children = [target];
    this.#routingPrefix = change.routingPrefix === undefined ? undefined : Buffer.from(change.routingPrefix);
    this.#keyPrefix = Buffer.from(change.keyPrefix);
    this.#replaced = change.replaced === undefined ? undefined : Buffer.from(change.replaced);
    this.#inPlace = change.inPlace;
  }

  route(request: Request): Promise<Reply> {
    const changed = this.#changed(request);
    return changed instanceof Reply ? Promise.resolve(changed) : this.children[0]!.route(changed);
  }

  mightAsk(request: Request): readonly MightAsk[] {
    const changed = this.#changed(request);
    return changed instanceof Reply ? [] : [[this.children[0]!, changed]];
  }

  /** The request with its new key, or why it cannot have that. */
  #changed(request: Request): Request | Reply {
    const prefix = this.#routingPrefix ?? routingPrefixOf(request);
    const rest = this.#restOf(request.key);
    if (rest === undefined) {
      const same = this.#routingPrefix === undefined || this.#routingPrefix.equals(routingPrefixOf(request));
      return same ? request : withKey(request, prefix, request.key);
    }
    const bytes = this.#keyPrefix.length + rest.length;
    if (bytes === 0 || bytes > KEY_BYTES_MAX) {
      return Reply.of(
        Result.localError,
        `ModifyKeyRoute: the key would have ${bytes} bytes, allowed are 1 to 250`,
      );
    }
    return withKey(request, prefix, Buffer.concat([this.#keyPrefix, rest]));
  }

  /** What stands behind the key prefix in the new key, or undefined when the key stays. */
  #restOf(key: Buffer): Buffer | undefined {
    const replaced = this.#replaced;
    if (replaced !== undefined && startsWith(key, replaced)) return key.subarray(replaced.length);
    if (startsWith(key, this.#keyPrefix)) return undefined;
    const overwrites = this.#inPlace && key.length >= this.#keyPrefix.length;
    return overwrites ? key.subarray(this.#keyPrefix.length) : key;
  }
}

function startsWith(key: Buffer, prefix: Buffer): boolean {
  return key.length >= prefix.length && key.compare(prefix, 0, prefix.length, 0, prefix.length) === 0;
}

const keyPart = z
  .string()
  .regex(/^[^\s\p{Cc}]{0,250}$/u, 'expected part of a key: no spaces or control characters, at most 250');

export const modifyKeyRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'ModifyKeyRoute',
  parameters: z.strictObject({
    target: routeJson,
    set_routing_prefix: z
      .string()
      .regex(/^(\/[^/\s]+\/[^/\s]+\/)?$/, 'expected a routing prefix such as /region/cluster/, or nothing')
      .optional(),
    ensure_key_prefix: keyPart.optional(),
    replace_key_prefix: keyPart.optional(),
    modify_inplace: z.boolean().optional(),
  }),
  build: (parameters, context) => {
    if (parameters.modify_inplace !== undefined && parameters.replace_key_prefix !== undefined) {
      return context.fail('expected only one of replace_key_prefix and modify_inplace', 'modify_inplace');
    }
    return new ModifyKeyRoute(context.route(parameters.target, 'target'), {
      routingPrefix: parameters.set_routing_prefix,
      keyPrefix: parameters.ensure_key_prefix ?? '',
      replaced: parameters.replace_key_prefix,
      inPlace: parameters.modify_inplace === true,
    });
  },
});

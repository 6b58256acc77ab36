/**
 * The route of the first rule that the request meets, otherwise `default`: how key families get a regional pool
 * (papers/nsdi13 4.2) or one of their own when a prefix does not tell them apart.
 *
 * ```
 *   { "prefix": "photo:" }                   keys that begin so
 *   { "suffix": ":archive" }                 keys that end so
 *   { "contains": ":cold:" }
 *   { "pattern": "^user:[0-9]+:history$" }   a regular expression, on the key's bytes as Latin-1
 *   { "prefix": "feed:", "percent": 5 }      of these, 5% of the keys, always the same ones: to move a family step
 *                                            by step
 *   { "operations": ["delete"] }             only these
 * ```
 *
 * All conditions of a rule have to hold.
 */
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import type { Destination } from '../destination/destination.ts';
import { defineRouteHandle, type RouteHandleDefinition, routeJson } from '../registry.ts';
import type { Reply } from '../reply.ts';
import { OPERATION_NAMES, operationOf, type Request } from '../request.ts';
import type { MightAsk, RouteHandle } from '../route-handle.ts';

const PERCENT_STEPS = 10_000;

/** When a rule holds; what is undefined is not asked. */
export interface RuleConditions {
  readonly prefix?: Buffer | undefined;
  readonly suffix?: Buffer | undefined;
  readonly contains?: Buffer | undefined;
  readonly pattern?: RegExp | undefined;
  /** By operation, 1 for those that the rule is about. */
  readonly operations?: Uint8Array | undefined;
  /** Ten thousandths of the keys. */
  readonly share?: number | undefined;
}

export interface Rule {
  readonly conditions: RuleConditions;
  readonly route: RouteHandle;
}

export class RuleSelectorRoute implements RouteHandle {
  readonly name: string = 'rule-selector';
  readonly children: readonly RouteHandle[];
  readonly #rules: readonly Rule[];
  readonly #fallback: RouteHandle;

  constructor(rules: readonly Rule[], fallback: RouteHandle) {
    this.#rules = rules;
    this.#fallback = fallback;
    this.children = [...new Set([...rules.map(({ route }) => route), fallback])];
  }

  route(request: Request): Promise<Reply> {
    return this.#select(request).route(request);
  }

  direct(request: Request): Destination | undefined {
    return this.#select(request).direct?.(request);
  }

  mightAsk(request: Request): readonly MightAsk[] {
    return [[this.#select(request), request]];
  }

  #select(request: Request): RouteHandle {
    for (const { conditions, route } of this.#rules) if (holds(conditions, request)) return route;
    return this.#fallback;
  }
}

function holds(conditions: RuleConditions, request: Request): boolean {
  const { prefix, suffix, contains, pattern, operations, share } = conditions;
  const { keySource, keyStart, keyEnd } = request;
  if (operations !== undefined && operations[request.operation] !== 1) return false;
  if (prefix !== undefined && !isAt(keySource, keyStart, keyEnd, prefix)) return false;
  if (suffix !== undefined && !isAt(keySource, Math.max(keyStart, keyEnd - suffix.length), keyEnd, suffix))
    return false;
  // A view, because the key may lie in a very large buffer.
  if (contains !== undefined && !keySource.subarray(keyStart, keyEnd).includes(contains)) return false;
  if (pattern !== undefined && !pattern.test(keySource.toString('latin1', keyStart, keyEnd))) return false;
  // By the part that chooses the server, so that keys that belong together stay together.
  return share === undefined || crc32(keySource.subarray(keyStart, request.hashEnd)) % PERCENT_STEPS < share;
}

function isAt(source: Buffer, at: number, end: number, text: Buffer): boolean {
  if (end - at < text.length) return false;
  for (let index = 0; index < text.length; index++) if (source[at + index] !== text[index]) return false;
  return true;
}

const text = z.string().min(1);
const ruleJson = z
  .strictObject({
    prefix: text.optional(),
    suffix: text.optional(),
    contains: text.optional(),
    pattern: text.optional(),
    percent: z.number().min(0).max(100).optional(),
    operations: z
      .array(z.enum(OPERATION_NAMES as readonly [string, ...string[]]))
      .min(1)
      .optional(),
    route: routeJson,
  })
  .refine(
    (rule) => Object.keys(rule).length > 1,
    'expected a condition: prefix, suffix, contains, pattern, percent or operations',
  );

export const ruleSelectorRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'RuleSelectorRoute',
  parameters: z.strictObject({ rules: z.array(ruleJson), default: routeJson }),
  restParameter: 'default',
  build: (parameters, context) => {
    const rules = parameters.rules.map((rule, index): Rule => {
      let pattern: RegExp | undefined;
      try {
        if (rule.pattern !== undefined) pattern = new RegExp(rule.pattern);
      } catch (error) {
        context.fail(error instanceof Error ? error.message : String(error), 'rules', index, 'pattern');
      }
      let operations: Uint8Array | undefined;
      if (rule.operations !== undefined) {
        operations = new Uint8Array(OPERATION_NAMES.length);
        for (const name of rule.operations) operations[operationOf(name)!] = 1;
      }
      const bytes = (part: string | undefined): Buffer | undefined =>
        part === undefined ? undefined : Buffer.from(part);
      return {
        conditions: {
          prefix: bytes(rule.prefix),
          suffix: bytes(rule.suffix),
          contains: bytes(rule.contains),
          pattern,
          operations,
          share: rule.percent === undefined ? undefined : (rule.percent * PERCENT_STEPS) / 100,
        },
        route: context.route(rule.route, 'rules', index, 'route'),
      };
    });
    return new RuleSelectorRoute(rules, context.route(parameters.default, 'default'));
  },
});

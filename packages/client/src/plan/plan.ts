/**
 * The data of a page as a directed acyclic graph (papers/nsdi13 3.1): values, and values whose keys depend on
 * them. Everything that can be fetched at once is: one round trip per level, however many values it has.
 *
 * ```
 *   const plan = cache.plan();
 *   const user    = plan.get<User>('user:7');                                           level 0
 *   const friends = plan.getMany<User>([user], (u) => u?.friendIds.map(userKey) ?? []);  level 1
 *   const posts   = plan.getMany<Post>([friends], (all) => latestPosts(all));            level 2
 *   const found = await plan.run();
 *   found.get(posts)                                                                     a Map<string, Post>
 * ```
 *
 * A node can only depend on nodes that exist already, so there are no cycles. A value that has to be computed or
 * fetched elsewhere on a miss takes a `factory` (see getOrSet); a value that is not in the cache at all is a
 * `step`.
 */
import type { Cache } from '../cache.ts';
import { CacheError, CacheErrorCode } from '../errors.ts';
import type { Factory, GetOrSetOptions } from '../leases/options.ts';

/** A value of a plan. Typed by what it will be. */
export interface PlanNode<T> {
  /** 0 for values that depend on nothing. */
  readonly level: number;
  /** Only for the type. */
  readonly value?: T;
}

type Values<Nodes extends readonly PlanNode<unknown>[]> = {
  [Index in keyof Nodes]: Nodes[Index] extends PlanNode<infer T> ? T : never;
};

/** A key that may depend on other values; `undefined` says that there is nothing to fetch. */
type KeyOf<Nodes extends readonly PlanNode<unknown>[]> = (...values: Values<Nodes>) => string | undefined;

class Node implements PlanNode<unknown> {
  readonly level: number;
  readonly needs: readonly Node[];
  readonly fetch: (...values: unknown[]) => unknown;

  constructor(needs: readonly Node[], fetch: (...values: unknown[]) => unknown) {
    this.level = needs.reduce((level, node) => Math.max(level, node.level + 1), 0);
    this.needs = needs;
    this.fetch = fetch;
  }
}

/** What a plan has fetched. */
export class PlanResult {
  readonly #values: ReadonlyMap<PlanNode<unknown>, unknown>;

  constructor(values: ReadonlyMap<PlanNode<unknown>, unknown>) {
    this.#values = values;
  }

  get<T>(node: PlanNode<T>): T {
    if (!this.#values.has(node)) {
      throw new CacheError(CacheErrorCode.invalidConfig, 'this value is not of the plan that was run');
    }
    return this.#values.get(node) as T;
  }
}

/** What a single value may be told: getOrSet's options, and the factory. */
export interface PlanValueOptions<T> extends GetOrSetOptions<T> {
  /** Fetches it on a miss. */
  readonly factory?: Factory<T, T>;
}

export class Plan {
  readonly #cache: Cache;
  readonly #levels: Node[][] = [];

  constructor(cache: Cache) {
    this.#cache = cache;
  }

  /** How many round trips this plan takes when every value is in the cache. */
  get depth(): number {
    return this.#levels.length;
  }

  /** A value by its key, or by a key that depends on other values. */
  get<T>(key: string, options?: PlanValueOptions<T>): PlanNode<T | undefined>;
  get<T, const Nodes extends readonly PlanNode<unknown>[] = readonly PlanNode<unknown>[]>(
    needs: Nodes,
    key: KeyOf<Nodes>,
    options?: PlanValueOptions<T>,
  ): PlanNode<T | undefined>;
  get<T>(
    first: string | readonly PlanNode<unknown>[],
    second?: PlanValueOptions<T> | KeyOf<readonly PlanNode<unknown>[]>,
    third?: PlanValueOptions<T>,
  ): PlanNode<T | undefined> {
    if (typeof first === 'string') {
      return this.#add([], () => this.#fetch(first, second as PlanValueOptions<T> | undefined));
    }
    const keyOf = second as (...values: unknown[]) => string | undefined;
    return this.#add(first, (...values) => this.#fetch(keyOf(...values), third));
  }

  /** Many values, as a Map from key to value without the missing ones. */
  getMany<T>(keys: readonly string[]): PlanNode<Map<string, T>>;
  getMany<T, const Nodes extends readonly PlanNode<unknown>[] = readonly PlanNode<unknown>[]>(
    needs: Nodes,
    keys: (...values: Values<Nodes>) => readonly string[],
  ): PlanNode<Map<string, T>>;
  getMany<T>(
    first: readonly string[] | readonly PlanNode<unknown>[],
    keysOf?: (...values: never[]) => readonly string[],
  ): PlanNode<Map<string, T>> {
    if (keysOf === undefined) {
      return this.#add([], () => this.#cache.getMany<T>(first as readonly string[]));
    }
    const keys = keysOf as (...values: unknown[]) => readonly string[];
    return this.#add(first as readonly PlanNode<unknown>[], (...values) =>
      this.#cache.getMany<T>(keys(...values)),
    );
  }

  /** Any other work that belongs to a level, such as a query. */
  step<T, const Nodes extends readonly PlanNode<unknown>[]>(
    needs: Nodes,
    work: (...values: Values<Nodes>) => T | Promise<T>,
  ): PlanNode<T> {
    return this.#add(needs, work as (...values: unknown[]) => unknown);
  }

  /** Fetches everything, level by level. Rejects when a factory or a step does. */
  async run(): Promise<PlanResult> {
    const values = new Map<PlanNode<unknown>, unknown>();
    for (const level of this.#levels) {
      // All of a level are started in one turn: their gets become one multiget per server.
      const fetched = level.map(async (node) => node.fetch(...node.needs.map((need) => values.get(need))));
      for (const [index, value] of (await Promise.all(fetched)).entries()) values.set(level[index]!, value);
    }
    return new PlanResult(values);
  }

  #fetch<T>(key: string | undefined, options: PlanValueOptions<T> | undefined): Promise<T | undefined> {
    if (key === undefined) return Promise.resolve(undefined);
    if (options?.factory === undefined) return this.#cache.get<T>(key, options);
    return this.#cache.getOrSet<T | undefined>(
      key,
      options.factory as Factory<T | undefined, T | undefined>,
      options as GetOrSetOptions<T | undefined>,
    );
  }

  #add<T>(needs: readonly PlanNode<unknown>[], fetch: (...values: unknown[]) => unknown): PlanNode<T> {
    for (const need of needs) {
      const isOwn = need instanceof Node && this.#levels[need.level]?.includes(need);
      if (!isOwn)
        throw new CacheError(CacheErrorCode.invalidConfig, 'a value depends on one of another plan');
    }
    const node = new Node(needs as readonly Node[], fetch);
    const level = this.#levels[node.level] ?? [];
    this.#levels[node.level] = level;
    level.push(node);
    return node as PlanNode<T>;
  }
}

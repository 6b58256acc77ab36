/**
 * The few matchers and hooks that upstreams' own test suites use, on `node:test` and `node:assert`, so that the
 * suites run here as they are published.
 */
import { strict as assert } from 'node:assert';
import { afterEach, beforeEach, describe, test } from 'node:test';

interface Matchers {
  toBe(expected: unknown): void;
  toEqual(expected: unknown): void;
  toBeTruthy(): void;
  toBeFalsy(): void;
  toBeUndefined(): void;
  toBeDefined(): void;
  toBeNull(): void;
}

interface Expect {
  (value: unknown): Matchers;
  /** How many expectations the test is to have met when it ends. */
  assertions(count: number): void;
}

function expectation(): { readonly expect: Expect; verify(): void } {
  let met = 0;
  let wanted: number | undefined;
  const counting = (check: (expected: unknown) => void) => (expected?: unknown) => {
    check(expected);
    met += 1;
  };
  const matchers = (value: unknown): Matchers => ({
    toBe: counting((expected) => assert.strictEqual(value, expected)),
    toEqual: counting((expected) => assert.deepEqual(value, expected)),
    toBeTruthy: counting(() => assert.ok(value)),
    toBeFalsy: counting(() => assert.ok(!value)),
    toBeUndefined: counting(() => assert.strictEqual(value, undefined)),
    toBeDefined: counting(() => assert.notStrictEqual(value, undefined)),
    toBeNull: counting(() => assert.strictEqual(value, null)),
  });
  const assertions = (count: number): void => {
    wanted = count;
  };
  return {
    expect: Object.assign(matchers, { assertions }),
    verify: () => {
      if (wanted !== undefined) assert.equal(met, wanted, 'expectations met');
    },
  };
}

type Body = (context: { readonly expect: Expect }) => unknown;

/** What a suite written for vitest calls. */
export interface VitestLike {
  it(name: string, body: Body): void;
  beforeEach(hook: () => unknown): void;
  afterEach(hook: () => unknown): void;
}

export const vitestLike: VitestLike = {
  it(name, body) {
    test(name, async () => {
      const { expect, verify } = expectation();
      await body({ expect });
      verify();
    });
  },
  beforeEach: (hook) => beforeEach(async () => void (await hook())),
  afterEach: (hook) => afterEach(async () => void (await hook())),
};

/** The assertions that a suite written for Japa uses. */
interface JapaAssert {
  deepEqual(actual: unknown, expected: unknown): void;
  notEqual(actual: unknown, expected: unknown): void;
  isTrue(value: unknown): void;
  isFalse(value: unknown): void;
  isUndefined(value: unknown): void;
}

const japaAssert: JapaAssert = {
  deepEqual: (actual, expected) => assert.deepEqual(actual, expected),
  notEqual: (actual, expected) => assert.notEqual(actual, expected),
  isTrue: (value) => assert.strictEqual(value, true),
  isFalse: (value) => assert.strictEqual(value, false),
  isUndefined: (value) => assert.strictEqual(value, undefined),
};

type JapaBody = (context: {
  readonly assert: JapaAssert;
  readonly cleanup: (hook: () => unknown) => void;
}) => unknown;

interface JapaGroup {
  setup(hook: () => unknown): void;
  tap(callback: (test: { disableTimeout(): void }) => void): void;
  readonly each: { teardown(hook: () => unknown): void };
}

/** Runs a suite written for Japa as a group of `node:test`. */
export function japaLike(
  name: string,
  define: (test: (title: string, body: JapaBody) => void, group: JapaGroup) => void,
): void {
  describe(name, () => {
    let setup: (() => unknown) | undefined;
    let teardown: (() => unknown) | undefined;
    const group: JapaGroup = {
      setup: (hook) => {
        setup = hook;
      },
      tap: (callback) => callback({ disableTimeout: () => {} }),
      each: {
        teardown: (hook) => {
          teardown = hook;
        },
      },
    };
    let isSetUp = false;
    define((title, body) => {
      test(title, async () => {
        if (!isSetUp) await setup?.();
        isSetUp = true;
        const cleanups: (() => unknown)[] = [];
        try {
          await body({ assert: japaAssert, cleanup: (hook) => cleanups.push(hook) });
        } finally {
          for (const hook of cleanups) await hook();
          await teardown?.();
        }
      });
    }, group);
  });
}

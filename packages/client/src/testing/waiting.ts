/** What tests of callers that wait for each other are made of. */

export interface Gate<T> {
  readonly opened: Promise<T>;
  open(value: T): void;
  fail(error: Error): void;
}

/** A promise and what settles it. */
export function gate<T = void>(): Gate<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  promise.catch(() => {});
  return { opened: promise, open: resolve, fail: reject };
}

/** Resolves as soon as `holds` does; rejects after 10 s. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what} did not happen`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export const never = (): never => {
  throw new Error('this factory must not run');
};

/** The window at work: never more keys on their way than it holds, whatever is asked for (papers/nsdi13 3.1). */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Reply, type Request, Result, type RouteHandle } from '@larder/routing';
import { Cache } from '../cache.ts';
import { eachServer } from '../testing/each-server.ts';
import { FlowWindow, processWindow } from './window.ts';

eachServer((group) => {
  test('a thousand keys at once go in windows, all are answered, and the window has grown', async () => {
    const window = new FlowWindow({ initial: 40, min: 4, max: 1000 });
    await using cache = await group.connect({ keyPrefix: 'incast:', window });
    const keys = Array.from({ length: 1000 }, (_, index) => `k${index}`);
    await cache.setMany(keys.map((key) => [key, key] as const));
    const sizeAfterSets = window.state.size;
    const found = await cache.getMany(keys);
    assert.equal(found.size, 1000);
    const { outstandingPeak, outstanding, waiting, size, losses, waited } = window.state;
    assert.ok(outstandingPeak <= size, `${outstandingPeak} of ${size}`);
    assert.deepEqual({ outstanding, waiting, losses }, { outstanding: 0, waiting: 0, losses: 0 });
    assert.ok(sizeAfterSets > 40 && size > sizeAfterSets);
    assert.ok(waited > 900, 'most of them had to wait');
  });
});

test('all caches of a process share one window unless one is given its own', async () => {
  await using one = new Cache({ servers: '127.0.0.1:1' });
  await using other = new Cache({ servers: '127.0.0.1:2' });
  await using own = new Cache({ window: { initial: 5 } });
  assert.equal(one.window, processWindow);
  assert.equal(other.window, processWindow);
  assert.equal(own.window.state.size, 5);
});

/** Holds every request until it is told how to answer. */
class HeldRoute implements RouteHandle {
  readonly name: string = 'held';
  readonly children: readonly RouteHandle[] = [];
  readonly held: ((reply: Reply) => void)[] = [];

  route(_request: Request): Promise<Reply> {
    return new Promise((resolve) => this.held.push(resolve));
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('replies let the next ones go, a loss makes the window smaller', async () => {
  const routes = new HeldRoute();
  await using cache = new Cache({ routes, window: { initial: 8, min: 2, max: 100 } });
  const all = Promise.all(Array.from({ length: 20 }, (_, index) => cache.get(`k${index}`)));
  await turn();
  assert.equal(routes.held.length, 8);
  assert.deepEqual([cache.window.state.outstanding, cache.window.state.waiting], [8, 12]);
  routes.held[0]!(Reply.of(Result.miss));
  await turn();
  assert.equal(routes.held.length, 9, 'one answered, one more sent');
  routes.held[1]!(Reply.of(Result.timeout));
  await turn();
  assert.equal(cache.window.state.size, 4);
  assert.equal(routes.held.length, 9, 'the window is full for now');
  for (let next = 2; next < 20; next++) {
    routes.held[next]!(Reply.of(Result.miss));
    await turn();
    assert.ok(cache.window.state.outstanding <= Math.max(cache.window.state.size, 8));
  }
  await all;
  assert.equal(cache.statistics.failedGets, 1);
  assert.equal(cache.window.state.outstanding, 0);
});

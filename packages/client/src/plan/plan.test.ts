import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { eachServer } from '../testing/each-server.ts';

interface User {
  readonly name: string;
  readonly friends: readonly string[];
  readonly card: string;
}

eachServer((group) => {
  test('a page of three levels takes three round trips, however many values it has', async () => {
    await using cache = await group.connect({ keyPrefix: 'page:' });
    const users: [string, User][] = Array.from({ length: 20 }, (_, index) => [
      `user:${index}`,
      { name: `user ${index}`, friends: [`user:${index + 1}`, `user:${index + 2}`], card: `card:${index}` },
    ]);
    await cache.setMany(users);
    await cache.setMany([
      ['card:1', 'gold'],
      ['card:2', 'silver'],
      ['news', 'none'],
    ]);
    const plan = cache.plan();
    const news = plan.get<string>('news');
    const user = plan.get<User>('user:0');
    const friends = plan.getMany<User, [typeof user]>([user], (found) => found?.friends ?? []);
    const cards = plan.getMany<string, [typeof friends]>([friends], (all) =>
      [...all.values()].map((friend) => friend.card),
    );
    const summary = plan.step([news, cards], (text, found) => `${text}: ${[...found.values()].join()}`);
    assert.equal(plan.depth, 4);
    const before = cache.statistics.multigets;
    const found = await plan.run();
    assert.equal(cache.statistics.multigets - before, 3);
    assert.equal(found.get(user)?.name, 'user 0');
    assert.deepEqual([...found.get(friends).keys()], ['user:1', 'user:2']);
    assert.equal(found.get(summary), 'none: gold,silver');
  });

  test('a value that is missing is made by its factory; a key that is undefined is not fetched', async () => {
    await using cache = await group.connect({ keyPrefix: 'made:' });
    const plan = cache.plan();
    const base = plan.get<number>('base', { factory: () => 4, ttl: '1m' });
    const twice = plan.get<number, [typeof base]>([base], (value) => `twice:${value}`, {
      factory: ({ key }) => Number(key.split(':')[1]) * 2,
    });
    const nothing = plan.get<number, [typeof base]>([base], () => undefined);
    const found = await plan.run();
    assert.deepEqual([found.get(base), found.get(twice), found.get(nothing)], [4, 8, undefined]);
    assert.equal(await cache.get('twice:4'), 8);
  });

  test('a failure of a step is the failure of the plan', async () => {
    await using cache = await group.connect();
    const plan = cache.plan();
    const broken = plan.step([], () => Promise.reject(new Error('no such table')));
    plan.get([broken], () => 'never');
    await assert.rejects(plan.run(), /no such table/);
  });

  test('values of another plan are refused', async () => {
    await using cache = await group.connect();
    const value = cache.plan().get('a');
    const plan = cache.plan();
    assert.throws(() => plan.get([value], () => 'b'), { code: 'INVALID_CONFIG' });
    const found = await plan.run();
    assert.throws(() => found.get(value), { code: 'INVALID_CONFIG' });
  });
});

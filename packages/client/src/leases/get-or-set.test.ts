import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { Cache } from '../cache.ts';
import { eachServer } from '../testing/each-server.ts';
import { gate, never, until } from '../testing/waiting.ts';

eachServer(
  (group) => {
    /** Two caches as two processes have them, with different keys for each test. */
    const two = async (name: string): Promise<{ one: Cache; other: Cache } & AsyncDisposable> => {
      const options = { keyPrefix: `${name}:` };
      const [one, other] = await Promise.all([group.connect(options), group.connect(options)]);
      return {
        one,
        other,
        [Symbol.asyncDispose]: async () => {
          await Promise.all([one.close(), other.close()]);
        },
      };
    };

    test('a miss runs the factory once and stores its value with its ttl', async () => {
      await using caches = await two('fill');
      const { one, other } = caches;
      assert.deepEqual(await one.getOrSet('k', ({ key }) => ({ key }), { ttl: '1h' }), { key: 'k' });
      assert.deepEqual(await other.getOrSet('k', never), { key: 'k' });
      assert.deepEqual(await other.get('k'), { key: 'k' });
      assert.equal(one.statistics.leasesWon, 1);
      assert.equal(one.statistics.stores, 1);
    });

    test('callers of one process share a flight', async () => {
      await using caches = await two('flight');
      let runs = 0;
      const calls = Array.from({ length: 50 }, () =>
        caches.one.getOrSet('k', async () => {
          runs += 1;
          await null;
          return runs;
        }),
      );
      assert.deepEqual(new Set(await Promise.all(calls)), new Set([1]));
      assert.equal(caches.one.statistics.coalesced, 49);
    });

    test('another process waits for the filler and gets its value', async () => {
      await using caches = await two('wait');
      const { one, other } = caches;
      const filling = gate<string>();
      const first = one.getOrSet('k', () => filling.opened);
      await until('the lease', () => one.statistics.leasesWon === 1);
      const second = other.getOrSet('k', never);
      await until('waiting', () => other.statistics.leaseWaits > 1);
      assert.equal(await other.get('k'), undefined, 'a stub of a lease is a miss');
      assert.equal(await other.gets('k'), undefined);
      filling.open('filled');
      assert.deepEqual(await Promise.all([first, second]), ['filled', 'filled']);
    });

    test("a factory's failure is thrown and lets the next caller try at once", async () => {
      await using caches = await two('failure');
      const { one, other } = caches;
      const filling = gate<string>();
      const first = one.getOrSet('k', () => filling.opened);
      await until('the lease', () => one.statistics.leasesWon === 1);
      const second = other.getOrSet('k', () => 'second try');
      await until('waiting', () => other.statistics.leaseWaits > 0);
      const startedMs = performance.now();
      filling.fail(new Error('database is down'));
      await assert.rejects(first, /database is down/);
      assert.equal(await second, 'second try');
      // The lease would have lasted ten seconds.
      assert.ok(performance.now() - startedMs < 3000);
      assert.equal(one.statistics.factoryFailures, 1);
    });

    test('a value that cannot be stored releases the lease as well', async () => {
      await using caches = await two('unstorable');
      await assert.rejects(
        caches.one.getOrSet('k', () => (() => 1) as unknown),
        { code: 'INVALID_VALUE' },
      );
      assert.equal(await caches.other.getOrSet('k', () => 'x'), 'x');
    });

    test('a delete during the fill voids the lease: the old value is not set', async () => {
      await using caches = await two('overtaken');
      const { one, other } = caches;
      const filling = gate<string>();
      const first = one.getOrSet('k', () => filling.opened);
      await until('the lease', () => one.statistics.leasesWon === 1);
      await other.delete('k');
      filling.open('what was true before the update');
      assert.equal(await first, 'what was true before the update');
      assert.equal(one.statistics.leasesLost, 1);
      assert.equal(await other.get('k'), undefined);
      assert.equal(await other.getOrSet('k', () => 'after'), 'after');
    });

    test('nobody reads a deleted value who did not ask for stale ones', async () => {
      await using caches = await two('deleted');
      const { one, other } = caches;
      await one.set('k', 'old');
      await one.delete('k');
      assert.equal(await other.getOrSet('k', () => 'new'), 'new');
      assert.equal(await other.get('k'), 'new');
    });

    test('past its ttl a value is served while one caller refreshes it', async () => {
      await using caches = await two('stale');
      const { one, other } = caches;
      // As if stored long ago: two of its sixty-two seconds are left, so its ttl is over.
      await one.set('k', 'old', { ttl: '2s' });
      const options = { ttl: '10s', staleTtl: '60s' } as const;
      const filling = gate<string>();
      assert.equal(await one.getOrSet('k', () => filling.opened, options), 'old');
      assert.equal(await other.getOrSet('k', never, options), 'old');
      assert.equal(one.statistics.staleServed, 1);
      assert.equal(one.statistics.refreshes, 1);
      filling.open('new');
      await until('the refresh', async () => (await other.get('k')) === 'new');
      assert.equal(await other.getOrSet('k', never, options), 'new');
    });

    test('a refresh that fails leaves the stale value, tells it, and lets another caller try', async () => {
      await using caches = await two('refresh');
      const { one, other } = caches;
      await one.set('k', 'old', { ttl: '5s' });
      const options = { ttl: '10s', staleTtl: '60s' } as const;
      const failures: unknown[] = [];
      one.on('refreshFailed', (failure) => failures.push(failure.error));
      const fail = (): Promise<string> => Promise.reject(new Error('down'));
      assert.equal(await one.getOrSet('k', fail, options), 'old');
      await until('the failure', () => failures.length === 1);
      await until('another try', async () => {
        assert.equal(await other.getOrSet('k', () => 'new', options), 'old');
        return other.statistics.refreshes === 1;
      });
      await until('the refresh', async () => (await other.get('k')) === 'new');
    });

    test('a value is refreshed early by one caller, in the background', async () => {
      await using caches = await two('early');
      const { one, other } = caches;
      await one.set('k', 'old', { ttl: '3s' });
      const options = { ttl: '60s', refreshAhead: '30s' } as const;
      const filling = gate<string>();
      assert.equal(await one.getOrSet('k', () => filling.opened, options), 'old');
      assert.equal(await other.getOrSet('k', never, options), 'old');
      assert.equal(one.statistics.staleServed, 0);
      filling.open('new');
      await until('the refresh', async () => (await other.get('k')) === 'new');
      assert.equal(await other.getOrSet('k', never, options), 'new');
    });

    test('that there is no value is remembered, if that is wanted', async () => {
      await using caches = await two('negative');
      const { one, other } = caches;
      let runs = 0;
      const none = (): undefined => {
        runs += 1;
      };
      assert.equal(await one.getOrSet('forgotten', none), undefined);
      assert.equal(await one.getOrSet('forgotten', none), undefined);
      assert.equal(runs, 2);
      assert.equal(await one.getOrSet('known', none, { negativeTtl: '30s' }), undefined);
      assert.equal(await other.getOrSet<undefined>('known', never, { negativeTtl: '30s' }), undefined);
      assert.equal(await other.get('known'), undefined);
      assert.equal(await other.gets('known'), undefined);
      assert.equal(runs, 3);
      assert.equal(other.statistics.negativeHits, 3);
    });

    test('whose patience is over goes without the cache and sets nothing', async () => {
      await using caches = await two('patience');
      const { one, other } = caches;
      const filling = gate<string>();
      const first = one.getOrSet('k', () => filling.opened);
      await until('the lease', () => one.statistics.leasesWon === 1);
      assert.equal(await other.getOrSet('k', () => 'own', { patience: 30 }), 'own');
      assert.equal(other.statistics.leasePatienceOver, 1);
      assert.equal(await other.get('k'), undefined);
      filling.open('filled');
      assert.equal(await first, 'filled');
      assert.equal(await other.get('k'), 'filled');
    });

    test('a filler that dies is replaced when its lease is over', async () => {
      await using caches = await two('died');
      const { one, other } = caches;
      const filling = gate<string>();
      one.getOrSet('k', () => filling.opened, { lease: '1s' }).catch(() => {});
      await until('the lease', () => one.statistics.leasesWon === 1);
      const options = { lease: '1s', patience: '10s' } as const;
      assert.equal(await other.getOrSet('k', () => 'replaced', options), 'replaced');
      filling.open('too late');
      await until('the late fill', () => one.statistics.leasesLost === 1);
      assert.equal(await other.get('k'), 'replaced');
    });

    test('the factory is told when nobody waits any more, and others go on waiting', async () => {
      await using caches = await two('abandon');
      const { one } = caches;
      const controller = new AbortController();
      const filling = gate<string>();
      let signal: AbortSignal | undefined;
      const factory = (context: { readonly signal: AbortSignal }): Promise<string> => {
        signal = context.signal;
        return filling.opened;
      };
      const first = one.getOrSet('k', factory, { signal: controller.signal });
      await until('the factory', () => signal !== undefined);
      const other = new AbortController();
      const second = one.getOrSet('k', never, { signal: other.signal });
      controller.abort();
      await assert.rejects(first, { code: 'ABORTED' });
      assert.equal(signal?.aborted, false);
      other.abort();
      await assert.rejects(second, { code: 'ABORTED' });
      await until('the signal', () => signal?.aborted === true);
      filling.open('x');
    });

    test('what cannot be read is made anew', async () => {
      await using caches = await two('unreadable');
      const { one, other } = caches;
      const schema = {
        encode: (value: string) => Buffer.from(value),
        decode: (bytes: Uint8Array) => String(bytes),
      };
      await one.set('k', { written: 'without a schema' });
      assert.equal(await other.getOrSet('k', () => 'made', { schema }), 'made');
      assert.equal(await other.get('k', { schema }), 'made');
      assert.ok(other.statistics.decodeFailures >= 1);
    });
  },
  { larder: ['--lease-token-seconds', '1'] },
);

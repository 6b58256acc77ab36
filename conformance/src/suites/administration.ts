/** Statistics and watchers: memcached's names and meanings, so that exporters and dashboards work unchanged. */
import { strict as assert } from 'node:assert';
import type { RawClient } from '../client/raw.ts';
import { readStats } from '../client/statistics.ts';
import { until } from '../client/until.ts';
import type { Suite } from './suite.ts';

/** All names of `stats` in memcached 1.6; `libevent` names its event library and is left out. */
const GENERAL_NAMES = `pid uptime time version pointer_size rusage_user rusage_system max_connections
  curr_connections total_connections rejected_connections connection_structures response_obj_oom
  response_obj_count response_obj_bytes read_buf_count read_buf_bytes read_buf_bytes_free read_buf_oom
  reserved_fds cmd_get cmd_set cmd_flush cmd_touch cmd_meta get_hits get_misses get_expired get_flushed
  delete_misses delete_hits incr_misses incr_hits decr_misses decr_hits cas_misses cas_hits cas_badval
  touch_hits touch_misses store_too_large store_no_memory auth_cmds auth_errors bytes_read bytes_written
  limit_maxbytes accepting_conns listen_disabled_num time_in_listen_disabled_us threads conn_yields
  hash_power_level hash_bytes hash_is_expanding slab_reassign_rescues slab_reassign_chunk_rescues
  slab_reassign_evictions_nomem slab_reassign_inline_reclaim slab_reassign_busy_items
  slab_reassign_busy_deletes slab_reassign_running slabs_moved lru_crawler_running lru_crawler_starts
  lru_maintainer_juggles malloc_fails log_worker_dropped log_worker_written log_watcher_skipped
  log_watcher_sent log_watchers unexpected_napi_ids round_robin_fallback bytes curr_items total_items
  slab_global_page_pool expired_unfetched evicted_unfetched evicted_active evictions reclaimed
  crawler_reclaimed crawler_items_checked lrutail_reflocked moves_to_cold moves_to_warm moves_within_lru
  direct_reclaims lru_bumps_dropped`.split(/\s+/);

/** Of `stats settings`, those that say something about a server without memcached's internals. */
const SETTING_NAMES = `maxbytes maxconns tcpport udpport inter verbosity evictions domain_socket umask
  shutdown_command growth_factor chunk_size num_threads reqs_per_event cas_enabled auth_enabled_ascii
  item_size_max maxconns_fast flush_enabled idle_timeout`.split(/\s+/);

const ITEM_NAMES = `number number_hot number_warm number_cold age_hot age_warm age mem_requested evicted
  evicted_nonzero evicted_time outofmemory tailrepairs reclaimed expired_unfetched evicted_unfetched
  evicted_active crawler_reclaimed crawler_items_checked lrutail_reflocked moves_to_cold moves_to_warm
  moves_within_lru direct_reclaims hits_to_hot hits_to_warm hits_to_cold hits_to_temp`.split(/\s+/);

const SLAB_NAMES = `chunk_size chunks_per_page total_pages total_chunks used_chunks free_chunks get_hits
  cmd_set delete_hits incr_hits decr_hits cas_hits cas_badval touch_hits`.split(/\s+/);

const SLAB_COUNTS: readonly string[] = SLAB_NAMES.slice(SLAB_NAMES.indexOf('get_hits'));

function assertNames(stats: Map<string, string>, names: readonly string[], prefix = ''): void {
  const missing = names.filter((name) => !stats.has(prefix + name));
  assert.deepEqual(missing, [], 'every name of memcached is present');
}

/** How the counters changed over `requests`. */
async function changes(client: RawClient, requests: string, names: readonly string[]): Promise<number[]> {
  const before = await readStats(client);
  await client.exchange(requests);
  const after = await readStats(client);
  return names.map((name) => Number(after.get(name)) - Number(before.get(name)));
}

function statisticsTests(suite: Suite): void {
  suite.test('stats has every name, and plausible values', async (client) => {
    const stats = await readStats(client);
    assertNames(stats, GENERAL_NAMES);
    assert.equal(Number(stats.get('pid')), suite.server().pid);
    assert.ok(Math.abs(Number(stats.get('time')) - Date.now() / 1000) < 3, 'time is Unix time');
    assert.equal(stats.get('pointer_size'), '64');
    assert.equal(Number(stats.get('limit_maxbytes')), 64 * 1024 * 1024);
    assert.ok(Number(stats.get('curr_connections')) >= 1);
    for (const name of ['rusage_user', 'rusage_system']) assert.match(stats.get(name) ?? '', /^\d+\.\d{6}$/);
    for (const [name, value] of stats) {
      if (/version|libevent|rusage|transport/.test(name) || !GENERAL_NAMES.includes(name)) continue;
      assert.match(value, /^\d+$/, `${name} is a whole number`);
    }
  });

  suite.larderOnly('stats names the transport in use', async (client) => {
    assert.equal((await readStats(client)).get('transport'), suite.kind.transport);
  });

  suite.test('hits and misses are counted per key and command', async (client) => {
    const [a, b] = [suite.key(), suite.key()];
    await client.expect(`set ${a} 0 0 1\r\n5\r\n`, 'STORED\r\n');
    const cases: [string, Record<string, number>][] = [
      [`get ${a} ${b} ${a}\r\n`, { cmd_get: 3, get_hits: 2, get_misses: 1 }],
      [`gets ${a}\r\nmg ${a} v\r\nmg ${b}\r\n`, { cmd_get: 3, get_hits: 2, get_misses: 1 }],
      [`set ${b} 0 0 1\r\n1\r\nset ${b} 0 0 1\r\n2\r\n`, { cmd_set: 2, total_items: 2, curr_items: 1 }],
      [`delete ${b}\r\ndelete ${b}\r\n`, { delete_hits: 1, delete_misses: 1, curr_items: -1 }],
      [`incr ${a} 1\r\nincr ${b} 1\r\n`, { incr_hits: 1, incr_misses: 1 }],
      [`decr ${a} 1\r\ndecr ${b} 1\r\n`, { decr_hits: 1, decr_misses: 1 }],
      [`touch ${a} 0\r\ntouch ${b} 0\r\n`, { cmd_touch: 2, touch_hits: 1, touch_misses: 1 }],
      [`gat 0 ${a}\r\n`, { cmd_touch: 1, touch_hits: 1 }],
      [`cas ${b} 0 0 1 1\r\na\r\n`, { cas_misses: 1 }],
      [`cas ${a} 0 0 1 99999999\r\na\r\n`, { cas_badval: 1 }],
    ];
    for (const [requests, expected] of cases) {
      const names = Object.keys(expected);
      const found = await changes(client, requests, names);
      const shown = Object.fromEntries(names.map((name, index) => [name, found[index]]));
      assert.deepEqual(shown, expected, requests);
    }
  });

  suite.test('bytes read and written, connections and items are counted', async (client) => {
    const before = await readStats(client);
    const key = suite.key();
    await client.expect(`set ${key} 0 0 10000\r\n${'x'.repeat(10_000)}\r\n`, 'STORED\r\n');
    await client.exchange(`get ${key}\r\n`);
    const after = await readStats(client);
    const grown = (name: string): number => Number(after.get(name)) - Number(before.get(name));
    for (const name of ['bytes_read', 'bytes_written', 'bytes']) {
      assert.ok(grown(name) >= 10_000 && grown(name) < 40_000, `${name} grew by ${grown(name)}`);
    }
    await using second = await suite.connect();
    const now = await readStats(second);
    assert.equal(Number(now.get('curr_connections')) - Number(after.get('curr_connections')), 1);
    assert.equal(Number(now.get('total_connections')) - Number(after.get('total_connections')), 1);
  });

  suite.test('stats settings', async (client) => {
    const settings = await readStats(client, 'settings');
    assertNames(settings, SETTING_NAMES);
    assert.equal(settings.get('maxbytes'), String(64 * 1024 * 1024));
    assert.equal(settings.get('item_size_max'), String(1024 * 1024));
    assert.equal(settings.get('maxconns'), '1024');
    assert.equal(settings.get('evictions'), 'on');
    assert.equal(settings.get('cas_enabled'), 'yes');
  });

  suite.test('stats slabs and stats items count requests per class', async (client) => {
    const key = suite.key();
    const text = 'x'.repeat(9000);
    await client.expect(`set ${key} 0 0 9000\r\n${text}\r\n`, 'STORED\r\n');
    const sums = async (): Promise<Record<string, number>> => {
      const slabs = await readStats(client, 'slabs');
      const items = await readStats(client, 'items');
      const found: Record<string, number> = {};
      let hits = 0;
      for (const [name, value] of slabs) {
        const [, id = '', counter = ''] = /^(\d+):(.*)$/.exec(name) ?? [];
        if (!SLAB_COUNTS.includes(counter) || Number(slabs.get(`${id}:chunk_size`)) < 9000) continue;
        found[counter] = (found[counter] ?? 0) + Number(value);
      }
      for (const [name, value] of items) if (/:hits_to_/.test(name)) hits += Number(value);
      return { ...found, hits };
    };
    const before = await sums();
    const cas = /^VALUE \S+ 0 9000 (\d+)\r\n/.exec(await client.exchange(`gets ${key}\r\n`))?.[1] ?? '';
    await client.exchange(`get ${key} ${key}\r\nmg ${key} v\r\ntouch ${key} 0\r\n`);
    await client.exchange(`cas ${key} 0 0 9000 1\r\n${text}\r\ncas ${key} 0 0 9000 ${cas}\r\n${text}\r\n`);
    await client.exchange(`delete ${key}\r\n`);
    const after = await sums();
    const grown = Object.fromEntries(Object.keys(after).map((name) => [name, after[name]! - before[name]!]));
    assert.deepEqual(grown, {
      hits: 4,
      get_hits: 4,
      cmd_set: 2,
      delete_hits: 1,
      incr_hits: 0,
      decr_hits: 0,
      cas_hits: 1,
      cas_badval: 1,
      touch_hits: 1,
    });
  });

  suite.test('stats items and stats slabs, per class', async (client) => {
    const key = suite.key();
    await client.expect(`set ${key} 0 0 5000\r\n${'x'.repeat(5000)}\r\n`, 'STORED\r\n');
    const slabs = await readStats(client, 'slabs');
    const classes = [...slabs.keys()].map((name) => /^(\d+):used_chunks$/.exec(name)?.[1]);
    const used = classes.filter((id) => id !== undefined && Number(slabs.get(`${id}:chunk_size`)) >= 5000);
    assert.ok(used.length > 0, 'a class of at least 5000 bytes is in use');
    const id = used[0] ?? '';
    assertNames(slabs, SLAB_NAMES, `${id}:`);
    assertNames(slabs, ['active_slabs', 'total_malloced']);
    const items = await readStats(client, 'items');
    assertNames(items, ITEM_NAMES, `items:${id}:`);
    const sum = [...items].reduce(
      (total, [name, value]) => total + (name.endsWith(':number') ? Number(value) : 0),
      0,
    );
    const current = Number((await readStats(client)).get('curr_items'));
    // Larder's classes also hold stale values, which are no items any more.
    assert.ok(
      suite.kind.larder ? sum >= current : sum === current,
      `classes hold ${sum}, curr_items ${current}`,
    );
  });

  suite.test('stats sizes is off until enabled', async (client) => {
    const reply = await client.exchange('stats sizes\r\n');
    assert.match(reply, /^(STAT sizes_status disabled\r\n|(STAT \d+ \d+\r\n)+)END\r\n$/);
  });

  suite.test('stats conns shows this connection and the listening socket', async (client) => {
    const conns = [...(await readStats(client, 'conns'))];
    const states = conns.filter(([name]) => name.endsWith(':state')).map(([, value]) => value);
    assert.ok(states.includes('conn_listening'), states.join());
    assert.ok(states.includes('conn_parse_cmd'), states.join());
    const port = client.socket.localPort;
    assert.ok(
      conns.some(([name, value]) => /^\d+:addr$/.test(name) && value === `tcp:127.0.0.1:${port}`),
      `address of this connection (port ${port}): ${JSON.stringify(conns)}`,
    );
    assert.ok(conns.some(([name]) => /^\d+:secs_since_last_cmd$/.test(name)));
  });

  suite.test('stats reset, stats detail, unknown arguments', async () => {
    await using client = await suite.connect(await suite.start({}));
    await client.exchange('get a\r\nset a 0 0 1\r\na\r\nget a\r\n');
    await client.expect('stats reset\r\n', 'RESET\r\n');
    const stats = await readStats(client);
    for (const name of ['cmd_get', 'get_hits', 'get_misses', 'cmd_set', 'total_items']) {
      assert.equal(stats.get(name), '0', name);
    }
    assert.equal(stats.get('curr_items'), '1');
    await client.expect('stats foo\r\n', 'ERROR\r\n');
    await client.expect('stats detail\r\n', 'CLIENT_ERROR usage: stats detail on|off|dump\r\n');
    await client.expect(
      'stats detail on\r\nget p:1 p:2\r\nset p:1 0 0 1\r\na\r\n',
      'OK\r\nEND\r\nSTORED\r\n',
    );
    await client.expect('get p:1\r\ndelete p:1\r\n', 'VALUE p:1 0 1\r\na\r\nEND\r\nDELETED\r\n');
    await client.expect('stats detail dump\r\n', 'PREFIX p get 3 hit 1 set 1 del 1\r\nEND\r\n');
    await client.expect('stats detail off\r\n', 'OK\r\n');
  });
}

/** A key as logs show it. */
const logged = (key: string): string => encodeURIComponent(key);

function watchTests(suite: Suite): void {
  /**
   * Turns a connection into a watcher, runs `requests` on another until the watcher sees a line of log for them:
   * memcached tells its workers of a new watcher only some time after it has answered OK.
   */
  const watched = async (what: string, requests: string, line: RegExp): Promise<string> => {
    await using watcher = await suite.connect();
    await using client = await suite.connect();
    watcher.write(`watch ${what}\r\n`);
    assert.equal(await watcher.readLine(), 'OK');
    return await until(`a log line ${line}`, async () => {
      await client.exchange(requests);
      // memcached ends its log lines with a bare LF.
      const lines = watcher.received().split(/\r?\n/).slice(0, -1);
      for (const text of lines) assert.match(text, /^ts=\d+\.\d+ gid=\d+ type=\S+ /);
      return lines.find((text) => line.test(text));
    });
  };

  suite.test('watch fetchers', async () => {
    const [a, b] = [suite.key(), suite.key()];
    await watched(
      'fetchers',
      `get ${b}\r\n`,
      new RegExp(` type=item_get key=${logged(b)} status=not_found clsid=\\d+ cfd=\\d+`),
    );
    const requests = `set ${a} 0 0 3\r\nabc\r\nget ${a}\r\n`;
    await watched(
      'fetchers',
      requests,
      new RegExp(` type=item_get key=${logged(a)} status=found clsid=\\d+ cfd=\\d+ size=3$`),
    );
  });

  suite.test('watch mutations', async () => {
    const key = suite.key();
    const line = (status: string, command: string): RegExp =>
      new RegExp(
        ` type=item_store key=${logged(key)} status=${status} cmd=${command} ttl=-?\\d+ clsid=\\d+ cfd=\\d+ size=\\d+$`,
      );
    await watched('mutations', `set ${key} 0 0 1\r\na\r\n`, line('stored', 'set'));
    await watched('mutations', `add ${key} 0 0 1\r\na\r\n`, line('not_stored', 'add'));
    await watched('mutations', `append ${key} 0 0 1\r\na\r\n`, line('stored', 'append'));
  });

  suite.test('watched keys are URI encoded', async () => {
    const key = `${suite.key()}%\xe9`;
    await watched('mutations', `set ${key} 0 0 1\r\na\r\n`, / key=[^ ]*%25%E9 /);
  });

  suite.larderOnly('watch deletions', async () => {
    const key = suite.key();
    await watched(
      'deletions',
      `set ${key} 0 0 1\r\na\r\ndelete ${key}\r\n`,
      new RegExp(` key=${logged(key)} `),
    );
  });

  suite.test('watch evictions', async () => {
    const server = await suite.start({ memoryMegabytes: 8, threads: 1 });
    await using watcher = await suite.connect(server);
    await using client = await suite.connect(server);
    watcher.write('watch evictions\r\n');
    assert.equal(await watcher.readLine(), 'OK');
    const value = 'x'.repeat(50_000);
    for (let index = 0; index < 400; index++) client.write(`set e${index} 0 0 50000 noreply\r\n${value}\r\n`);
    await client.expect('', '');
    const line = await watcher.readThrough('\n');
    assert.match(
      line,
      /^ts=\d+\.\d+ gid=\d+ type=eviction key=e\d+ fetch=no ttl=-?\d+ la=\d+ clsid=\d+ size=\d+\r?\n$/,
    );
    assert.ok(Number((await readStats(client)).get('evictions')) > 0);
  });

  suite.test('several kinds at once, and unknown kinds', async (client) => {
    const key = suite.key();
    await watched('fetchers mutations', `get ${key}\r\n`, / type=item_get /);
    await watched('fetchers mutations', `set ${key} 0 0 1\r\na\r\n`, / type=item_store /);
    await client.expect('watch foo\r\n', 'ERROR\r\n');
  });

  suite.test('a watcher that leaves is forgotten', async (client) => {
    await using watcher = await suite.connect();
    watcher.write('watch mutations\r\n');
    assert.equal(await watcher.readLine(), 'OK');
    await until('it is counted', async () => (await readStats(client)).get('log_watchers') === '1');
    await watcher.close();
    await until('it is gone', async () => {
      await client.exchange(`set ${suite.key()} 0 0 1\r\na\r\n`);
      return (await readStats(client)).get('log_watchers') === '0';
    });
  });
}

function dumpTests(suite: Suite): void {
  suite.test('lru_crawler metadump all', async (client) => {
    const key = `${suite.key('dump')}%`;
    await client.expect(`set ${key} 0 100 1\r\na\r\n`, 'STORED\r\n');
    client.write('lru_crawler metadump all\r\n');
    const dump = await client.readThrough('END\r\n');
    const line = dump.split(/\r?\n/).find((text) => text.includes(encodeURIComponent(key)));
    assert.match(line ?? dump, /^key=\S+ exp=\d+ la=\d+ cas=\d+ fetch=no cls=\d+ size=\d+/);
  });
}

export function administrationSuite(suite: Suite): void {
  statisticsTests(suite);
  watchTests(suite);
  dumpTests(suite);
}

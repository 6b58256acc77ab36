import assert from 'node:assert/strict';
import test from 'node:test';
import { EventCategory, WatchResult } from './event-log.ts';
import { CommandKind, SAMPLE_EVERY_BATCHES } from './latency.ts';
import { SessionHarness } from './testing/session-harness.ts';

test('leases: a token for one, advice to wait for the others, deletes cancel', () => {
  const harness = new SessionHarness({ store: { leaseTokenSeconds: 10, staleSeconds: 5 } });
  const client = harness.connect();
  const token = (reply: string): string => /^LVALUE a (\d+) /.exec(reply)?.[1] ?? '';
  const first = client.ask('lease-get a\r\n');
  assert.match(first, /^LVALUE a [1-9]\d* 0 0\r\n\r\nEND\r\n$/);
  assert.equal(client.ask('lease-get a\r\n'), 'NOT_FOUND_HOT\r\nEND\r\n');
  assert.equal(client.ask('get a\r\n'), 'END\r\n');
  assert.equal(client.ask('lease-set a 0 0 0 1\r\nx\r\n'), 'NOT_STORED\r\n', 'token 0 never may set');
  assert.equal(client.ask(`lease-set a ${token(first)} 3 0 1\r\nx\r\n`), 'STORED\r\n');
  assert.equal(
    client.ask('lease-get a b\r\n').replace(/LVALUE b \d+/, 'LVALUE b T'),
    'VALUE a 3 1\r\nx\r\nLVALUE b T 0 0\r\n\r\nEND\r\n',
  );
  assert.equal(client.ask('delete a\r\n'), 'DELETED\r\n');
  const second = client.ask('lease-get a\r\n');
  assert.match(second, /^LVALUE a [1-9]\d* 3 1\r\nx\r\nEND\r\n$/, 'the stale value comes with the token');
  assert.equal(
    client.ask('lease-get a\r\n'),
    'LVALUE a 0 3 1\r\nx\r\nEND\r\n',
    'and without the token as well',
  );
  assert.equal(client.ask('delete a noreply\r\nget a\r\n'), 'END\r\n');
  assert.notEqual(client.ask(`lease-set a ${token(second)} 0 0 1\r\ny\r\n`), 'STORED\r\n');
  assert.equal(client.ask('lease-get\r\n'), 'ERROR\r\n');
  assert.equal(client.ask(`lease-get a ${'k'.repeat(251)}\r\n`), 'CLIENT_ERROR bad command line format\r\n');
  assert.ok(harness.counter('lease_get_tokens') >= 3 && harness.counter('lease_get_hot') >= 2);
});

test('a hold-off keeps add away for its time', () => {
  const harness = new SessionHarness();
  const client = harness.connect();
  assert.equal(
    client.ask('set a 0 0 1\r\nx\r\ndelete a 5\r\nadd a 0 0 1\r\ny\r\n'),
    'STORED\r\nDELETED\r\nNOT_STORED\r\n',
  );
  harness.advance(6);
  assert.equal(client.ask('add a 0 0 1\r\ny\r\nget a\r\n'), 'STORED\r\nVALUE a 0 1\r\ny\r\nEND\r\n');
});

test('authentication: nothing but a set with user and password is answered', () => {
  const harness = new SessionHarness({ users: ['user:pass', 'u2:p2'] });
  const client = harness.connect();
  const refused = 'CLIENT_ERROR unauthenticated\r\n';
  assert.equal(client.ask('get a\r\nversion\r\nquit\r\nset a 0 0\r\nset a 0 0 x\r\n'), refused.repeat(5));
  assert.equal(client.ask('set a 0 0 7\r\nuser no\r\n'), 'CLIENT_ERROR authentication failure\r\n');
  assert.equal(client.ask('set a 0 0 4\r\nuser\r\n'), 'CLIENT_ERROR bad authentication token format\r\n');
  assert.equal(client.ask('set a 0 0 5\r\nu2 p2xx'), 'CLIENT_ERROR bad command line termination\r\n');
  assert.equal(
    client.ask(`set a 0 0 3000\r\n${'x'.repeat(3000)}\r\nget a\r\n`),
    `CLIENT_ERROR authentication failure\r\n${refused}`,
  );
  assert.equal(client.ask('set a 0 0 9\r\nuser pass\r\nget a\r\n', [3, 10, 2, 4, 1]), 'STORED\r\nEND\r\n');
  assert.equal(client.ask('set a 0 0 1\r\nx\r\nget a\r\n'), 'STORED\r\nVALUE a 0 1\r\nx\r\nEND\r\n');
  assert.deepEqual([harness.counter('auth_cmds'), harness.counter('auth_errors')], [3, 2]);
  assert.equal(harness.connect().ask('get a\r\n'), refused, 'each connection for itself');
});

test('stats and their arguments', () => {
  const harness = new SessionHarness();
  const client = harness.connect();
  assert.equal(client.ask('stats\r\n'), 'STAT pid 1\r\nSTAT bytes 12\r\nEND\r\n');
  assert.equal(
    client.ask('stats items\r\nstats slabs\r\n'),
    'STAT items:1:number 1\r\nEND\r\nSTAT active_slabs 1\r\nEND\r\n',
  );
  assert.equal(
    client.ask('stats sizes\r\nstats settings\r\n'),
    'STAT 96 1\r\nEND\r\nSTAT maxbytes 1\r\nEND\r\n',
  );
  assert.equal(client.ask('stats conns\r\n'), 'STAT 1:addr tcp:127.0.0.1:1\r\nEND\r\n');
  assert.equal(client.ask('stats reset\r\nstats bogus\r\n'), 'RESET\r\nERROR\r\n');
  assert.equal(harness.statistics.resets, 1);
  assert.equal(client.ask('stats detail\r\n'), 'CLIENT_ERROR usage: stats detail on|off|dump\r\n');
  const work = 'get u:1\r\nset u:1 0 0 1\r\nx\r\nget u:1 v\r\ndelete u:1\r\n';
  assert.equal(
    client.ask(`stats detail on\r\n${work}`),
    'OK\r\nEND\r\nSTORED\r\nVALUE u:1 0 1\r\nx\r\nEND\r\nDELETED\r\n',
  );
  assert.equal(
    client.ask('stats detail dump\r\n'),
    'PREFIX u get 2 hit 1 set 1 del 1\r\nPREFIX v get 1 hit 0 set 0 del 0\r\nEND\r\n',
  );
  assert.equal(client.ask('stats detail off\r\nget u:1\r\nstats detail dump\r\n').includes('get 2'), true);
});

test('flush_all, now and later, and refused', () => {
  const harness = new SessionHarness();
  const client = harness.connect();
  const store = 'set a 0 0 1\r\nx\r\n';
  assert.equal(client.ask(`${store}flush_all\r\nget a\r\n`), 'STORED\r\nOK\r\nEND\r\n');
  assert.equal(client.ask(`${store}flush_all noreply\r\nget a\r\n`), 'STORED\r\nEND\r\n');
  assert.equal(client.ask(`${store}flush_all 5\r\nget a\r\n`), 'STORED\r\nOK\r\nVALUE a 0 1\r\nx\r\nEND\r\n');
  harness.advance(6);
  assert.equal(client.ask('get a\r\nflush_all x\r\n'), 'END\r\nCLIENT_ERROR invalid exptime argument\r\n');
  const refusing = new SessionHarness({ session: { flushEnabled: false } });
  assert.equal(refusing.ask('flush_all\r\n'), 'CLIENT_ERROR flush_all not allowed\r\n');
});

test('operators tune the server', () => {
  const harness = new SessionHarness();
  const client = harness.connect();
  assert.equal(client.ask('verbosity 2\r\nverbosity\r\nverbosity 1 noreply\r\n'), 'OK\r\nERROR\r\n');
  assert.equal(
    client.ask(
      'lru_crawler sleep 10\r\nlru_crawler sleep 1000001\r\nlru_crawler tocrawl 7\r\nlru_crawler crawl x\r\nlru_crawler crawl all\r\n',
    ),
    'OK\r\nCLIENT_ERROR sleep must be one second or less\r\nOK\r\nBADCLASS invalid class id\r\nOK\r\n',
  );
  assert.equal(
    client.ask(
      'lru tune 10 25 0.1 2.0\r\nlru tune 50 50 1 1\r\nlru tune 10 25 0 1\r\nlru mode segmented\r\nlru mode x\r\nlru temp_ttl 5\r\nlru\r\n',
    ),
    'OK\r\nERROR hot and warm pcts must not exceed 80\r\nERROR hot/warm age factors must be greater than 0\r\nOK\r\nERROR\r\nOK\r\nERROR\r\n',
  );
  assert.equal(
    client.ask(
      'slabs reassign 1 1\r\nslabs reassign 1 x\r\nslabs automove 2\r\nslabs automove 3\r\nslabs automove ratio 0.5\r\nslabs\r\n',
    ),
    'SAME src and dst class are identical\r\nCLIENT_ERROR bad command line format\r\nOK\r\nERROR\r\nOK\r\nERROR\r\n',
  );
  assert.equal(
    client.ask('cache_memlimit 64\r\ncache_memlimit 1\r\ncache_memlimit 2000\r\ncache_memlimit x\r\n'),
    'OK\r\nMEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m\r\nMEMLIMIT_ADJUST_FAILED out of bounds or unable to adjust\r\nERROR\r\n',
  );
  assert.deepEqual(harness.control.calls, [
    'verbosity 2',
    'verbosity 1',
    'sleep 10',
    'tocrawl 7',
    'tune 10 25 0.1 2',
    'automove 2',
    'ratio 0.5',
  ]);
});

test('quit and shutdown end the connection; shutdown only where it is allowed', () => {
  const harness = new SessionHarness();
  const client = harness.connect();
  assert.equal(client.ask('version\r\nquit\r\nversion\r\n'), 'VERSION 1.6.45-larder-0.0.0\r\n');
  assert.ok(client.connection.isEnded);
  assert.equal(harness.ask('shutdown never\r\n'), 'CLIENT_ERROR invalid shutdown mode\r\n');
  harness.ask('shutdown graceful\r\n');
  harness.ask('shutdown\r\n');
  assert.deepEqual(harness.control.calls, ['shutdown true', 'shutdown false']);
  const refusing = new SessionHarness({ session: { shutdownEnabled: false } });
  assert.equal(refusing.ask('shutdown\r\n'), 'ERROR: shutdown not enabled\r\n');
  assert.deepEqual(refusing.control.calls, []);
});

test('a metadump waits for a slow reader and then goes on where it was', () => {
  const harness = new SessionHarness();
  const client = harness.connect();
  for (let index = 0; index < 2000; index++) client.ask(`set key${index} 0 0 1 noreply\r\nx\r\n`);
  harness.advance(0);
  client.connection.congestedBytes = 10_000;
  let text = client.ask('lru_crawler metadump all\r\nversion\r\n');
  let turns = 0;
  for (; !text.endsWith('VERSION 1.6.45-larder-0.0.0\r\n'); turns++) {
    assert.ok(turns < 1000);
    text += client.again();
  }
  assert.ok(turns > 3, 'it did wait');
  const keys = new Set([...text.matchAll(/^key=(\S+) /gm)].map((match) => match[1]));
  assert.equal(keys.size, 2000);
  assert.match(text, /\nEND\r\nVERSION/);
  assert.equal(client.ask('lru_crawler metadump x\r\n'), 'BADCLASS invalid class id\r\n');
  assert.match(client.ask('lru_crawler mgdump hash\r\n'), /^mg key\d+\r\n/);
});

test('pipelined retrievals stop when too much output waits, and go on later', () => {
  const harness = new SessionHarness();
  const client = harness.connect();
  client.ask(`set a 0 0 1000\r\n${'x'.repeat(1000)}\r\n`);
  client.connection.congestedBytes = 5000;
  const first = client.ask('get a\r\n'.repeat(50));
  assert.ok(first.length < 8000 && client.restBytes > 0);
  let text = first;
  while (client.restBytes > 0) text += client.again();
  assert.equal(text.split('END\r\n').length - 1, 50);
});

test('watchers get what they asked for, and their own input means nothing any more', () => {
  const harness = new SessionHarness();
  const watcher = harness.connect();
  assert.equal(watcher.ask('watch nonsense\r\n'), 'ERROR\r\n');
  harness.events.result = WatchResult.tooMany;
  assert.equal(watcher.ask('watch fetchers\r\n'), 'WATCHER_TOO_MANY log watcher limit reached\r\n');
  harness.events.result = WatchResult.ok;
  assert.equal(
    watcher.ask('watch fetchers mutations evictions deletions connevents\r\nversion\r\n'),
    'OK\r\n',
  );
  assert.deepEqual(harness.events.watching, [31]);
  harness.events.mask =
    EventCategory.fetchers | EventCategory.mutations | EventCategory.deletions | EventCategory.connevents;
  const client = harness.connect();
  client.ask(
    'set a%b 0 60 3\r\nabc\r\nget a%b c\r\nmg a%b\r\nms a%b 1\r\nx\r\nadd a%b 0 0 1\r\nx\r\ndelete a%b\r\ndelete a%b\r\n',
  );
  client.close();
  const lines = harness.events.lines.map((line) => line.replace(/clsid=[1-9]\d*/, 'clsid=N'));
  assert.deepEqual(lines, [
    'type=conn_new rip=127.0.0.1 rport=5 transport=tcp cfd=7',
    'type=item_store key=a%25b status=stored cmd=set ttl=60 clsid=N cfd=7 size=3',
    'type=item_get key=a%25b status=found clsid=N cfd=7 size=3',
    'type=item_get key=c status=not_found clsid=0 cfd=7 size=0',
    'type=item_get key=a%25b status=found clsid=N cfd=7 size=3',
    'type=item_store key=a%25b status=stored cmd=ms ttl=0 clsid=N cfd=7 size=1',
    'type=item_store key=a%25b status=not_stored cmd=add ttl=0 clsid=N cfd=7 size=1',
    'type=deleted key=a%25b cmd=delete clsid=N cfd=7 size=1',
    'type=conn_close rip=127.0.0.1 rport=5 transport=tcp reason=normal cfd=7',
  ]);
  watcher.close();
  assert.deepEqual(harness.events.watching, []);
});

test('one batch in many is timed, request by request', () => {
  const harness = new SessionHarness();
  const client = harness.connect();
  for (let batch = 0; batch < SAMPLE_EVERY_BATCHES; batch++)
    client.ask('get a\r\nset b 0 0 1\r\nx\r\nmg b\r\nversion\r\n');
  const kinds = harness.latency.records.map(([kind]) => kind);
  assert.deepEqual(kinds, [CommandKind.get, CommandKind.set, CommandKind.metaGet, CommandKind.other]);
  assert.ok(harness.latency.records.every(([, nanoseconds]) => nanoseconds === 100));
});

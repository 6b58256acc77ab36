/**
 * Plays the bad days and writes what was measured, beside the figures of nsdi13 that are their anchors, to
 * docs/evaluation/bad-days.md and .json.
 */
import { writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { fileURLToPath } from 'node:url';
import * as scenarios from './scenarios.ts';

const FOLDER = fileURLToPath(new URL('../../../docs/evaluation/', import.meta.url));

const count = (value: number): string => Math.round(value).toLocaleString('en-US');
const percent = (value: number): string => `${(100 * value).toFixed(1)}%`;
const ms = (value: number): string => (value < 10 ? `${value.toFixed(1)} ms` : `${count(value)} ms`);

async function play() {
  const say = async <T>(name: string, work: Promise<T>): Promise<T> => {
    process.stderr.write(`  … ${name}\n`);
    return await work;
  };
  return {
    hotKeys: await say('hot keys', scenarios.hotKeys()),
    deathPlain: await say('kill -9 without a gutter', scenarios.serverDeath(false)),
    deathGutter: await say('kill -9 with a gutter', scenarios.serverDeath(true)),
    embedded: await say('kill -9, embedded routing and stale values', scenarios.embeddedDeath()),
    silentPlain: await say('silence without a gutter', scenarios.silentServer(false)),
    silentGutter: await say('silence with a gutter', scenarios.silentServer(true)),
    halfPlain: await say('half the pool without a gutter', scenarios.halfThePool(false)),
    halfGutter: await say('half the pool with a gutter', scenarios.halfThePool(true)),
    spool: await say('a router killed with a full spool', scenarios.routerDeathWithSpool()),
    reloads: await say('configurations exchanged', scenarios.reloads()),
    slow: await say('a slow server', scenarios.slowServer()),
    network: await say('a lossy network', scenarios.lossyNetwork()),
  };
}

type Results = Awaited<ReturnType<typeof play>>;

/** Which share of the failures without a gutter a gutter takes away. */
function removed(plain: scenarios.DeathNumbers, gutter: scenarios.DeathNumbers): number {
  return 1 - gutter.failures / gutter.calls / (plain.failures / plain.calls);
}

function deathRows(name: string, numbers: scenarios.DeathNumbers): string {
  const { failures, calls, slowestMs, hitShare, databaseRate, databaseRateBefore, recoveryMs } = numbers;
  const cells = [
    name,
    `${percent(failures / calls)} (${count(failures)} of ${count(calls)})`,
    percent(hitShare),
    ms(slowestMs),
    `${count(databaseRateBefore)} → ${count(databaseRate)}`,
    ms(recoveryMs),
  ];
  return `| ${cells.join(' | ')} |`;
}

function page(results: Results): string {
  const { hotKeys, embedded, spool, reloads, slow, network } = results;
  const { deathPlain, deathGutter, silentPlain, silentGutter, halfPlain, halfGutter } = results;
  return [
    '# Bad days',
    '',
    'Written by `npm run bad-days -w conformance`; do not edit. Numbers in `bad-days.json`. Every scenario is also a test with bounds: `conformance/src/bad-days/bad-days.test.ts`.',
    '',
    `${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${cpus().length} cores, Linux ${release()}, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}. Cache servers, gutter and router are processes of their own on this machine; callers use the client library, through the router where nothing else is said; the database is a stand-in that answers after 5 ms (hot keys: 40 ms). The router gives a server 200 ms, gives it up after 2 failures in a row and probes it after 100 ms at first.`,
    '',
    "## The paper's figures, and ours",
    '',
    '| what | nsdi13 | measured |',
    '| --- | --- | --- |',
    `| leases: peak database queries a second for hot keys that are written often | 17 k → 1.3 k (13 ×) | ${count(hotKeys.peakWithout)} → ${count(hotKeys.peakWith)} (${(hotKeys.peakWithout / hotKeys.peakWith).toFixed(1)} ×) |`,
    `| gutter: share of client-visible failures removed when a server dies | 99% | ${percent(removed(deathPlain, deathGutter))} |`,
    '',
    'The first depends on how many callers miss the same key while it is fetched: 20 here. The second depends on how long the death takes to be noticed: a refused connection at once, silence after two time-outs.',
    '',
    '## A server gone, for 2.5 s, under the load of 24 callers',
    '',
    '| what | calls that failed | hits in the second half | slowest call | database queries/s, before → during | asked again after its return |',
    '| --- | --- | --- | --- | --- | --- |',
    deathRows('kill -9 of one of two', deathPlain),
    deathRows('the same, with a gutter', deathGutter),
    deathRows('one of two accepts and never answers', silentPlain),
    deathRows('the same, with a gutter', silentGutter),
    deathRows('two of four killed', halfPlain),
    deathRows('the same, with a gutter', halfGutter),
    '',
    `A gutter takes away ${percent(removed(deathPlain, deathGutter))}, ${percent(removed(silentPlain, silentGutter))} and ${percent(removed(halfPlain, halfGutter))} of the failures.`,
    '',
    '## Others',
    '',
    `- **A server killed, for a service that embeds the routing** and reads by getOrSet with stale values while keys are changed: ${count(embedded.calls)} calls in 2.5 s, ${embedded.failures} failed; ${embedded.queries} values were fetched for ${embedded.keys} keys (half of them lost) and ${embedded.changes} changes; afterwards ${embedded.outdated} keys had another value than the database.`,
    `- **A router killed with a full spool**: ${spool.deletes} deletes for a server that does not answer, then \`kill -9\` of the router; when both were back, ${spool.left} of the keys were left, the last delete arrived ${ms(spool.deliveredMs)} after the server answered again.`,
    `- **Configurations exchanged under load**: ${reloads.reloads} times, ${count(reloads.calls)} calls, ${reloads.failures} failed, ${reloads.wrong} wrong values; a configuration that makes no sense was ${reloads.isRefusalTold ? 'refused and told' : 'NOT refused'}.`,
    `- **A slow server** (${slow.slowMs} ms for every answer): calls for the other server's keys took ${ms(slow.othersP50Ms)} in the median and ${ms(slow.othersP99Ms)} at the 99th percentile; ${slow.failures} failed, ${slow.databaseQueries} went to the database.`,
    `- **Packets lost, repeated, reordered**: ${network.gets} gets by UDP; the relay lost ${network.lost}, repeated ${network.repeated} and reordered ${network.reordered} datagrams; ${percent(network.hits / network.gets)} were hits, ${network.databaseQueries} went to the database, ${network.wrong} were wrong.`,
    '',
  ].join('\n');
}

const results = await play();
writeFileSync(`${FOLDER}bad-days.json`, `${JSON.stringify(results, undefined, 1)}\n`);
writeFileSync(`${FOLDER}bad-days.md`, page(results));
process.stdout.write(page(results));

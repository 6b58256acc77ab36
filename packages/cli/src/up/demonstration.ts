/**
 * What `larder up --kill` shows: keys of the server that is killed, before and after, asked for through the router
 * and then at the gutter itself.
 */
import { ask } from './ask.ts';
import type { CacheProcess } from './cache-process.ts';
import { type Cluster, GUTTER_NAME } from './cluster.ts';

const KEYS = 3;
const KEYS_TRIED_MAX = 200;
const LINE = /\r\n$/;
const VALUES = /(^|\n)(END|[A-Z]+_ERROR .*)\r\n$/;

/** Kills the server and says, line by line, what its keys' users see. */
export async function killAndShow(cluster: Cluster, server: CacheProcess): Promise<string> {
  const { host } = server;
  const { port } = cluster.router;
  if (server.name === GUTTER_NAME) {
    server.kill();
    return `killed ${server.name}. The caches go on; nothing would take over if one of them died now.`;
  }
  const keys = await keysOf(cluster, server);
  const lines: string[] = [];
  for (const key of keys) await ask(host, port, `set ${key} 0 0 6\r\nbefore\r\n`, LINE);
  lines.push(`keys of ${server.name}: ${keys.join(', ')}; each set to "before" through the router`);
  server.kill();
  lines.push(`killed ${server.name}`);
  for (const key of keys) {
    const lost = valueIn(await ask(host, port, `get ${key}\r\n`, VALUES));
    const stored = (await ask(host, port, `set ${key} 0 0 5\r\nafter\r\n`, LINE)).trim();
    const found = valueIn(await ask(host, port, `get ${key}\r\n`, VALUES));
    lines.push(`  ${key}: get: ${lost} · set to "after": ${stored} · get: ${found}`);
  }
  const gutter = cluster.find(GUTTER_NAME)!;
  for (const key of keys) {
    const reply = (
      await ask(host, gutter.port, `mg ${key} v t\r\n`, /^(EN\r\n|VA \d+ .*\r\n.*\r\n)$/s)
    ).trim();
    const found = /^VA \d+ t(-?\d+)\r\n(.*)$/s.exec(reply);
    lines.push(
      found === null
        ? `  gutter itself: ${key} is not there`
        : `  gutter itself: ${key} is "${found[2]}", for another ${found[1]} s`,
    );
  }
  return lines.join('\n');
}

/** A few keys that lie on the server. */
async function keysOf(cluster: Cluster, server: CacheProcess): Promise<string[]> {
  const keys: string[] = [];
  for (let number = 1; keys.length < KEYS && number <= KEYS_TRIED_MAX; number++) {
    const key = `demo:${number}`;
    const request = `get __mcrouter__.route(get,${key})\r\n`;
    const reply = await ask(server.host, cluster.router.port, request, VALUES);
    // The first server named is the key's own, the others would stand in for it.
    const isOwn = await isStoredOn(cluster, server, key, reply);
    if (isOwn) keys.push(key);
  }
  return keys;
}

/** The router may name every server that it might ask: storing the key shows where it lies. */
async function isStoredOn(
  cluster: Cluster,
  server: CacheProcess,
  key: string,
  route: string,
): Promise<boolean> {
  if (!route.includes(server.address)) return false;
  await ask(server.host, cluster.router.port, `set ${key} 0 0 1\r\nx\r\n`, LINE);
  return (await ask(server.host, server.port, `get ${key}\r\n`, VALUES)).startsWith('VALUE');
}

function valueIn(reply: string): string {
  const found = /^VALUE \S+ \d+ \d+\r\n(.*)\r\nEND\r\n$/s.exec(reply);
  if (found !== null) return `"${found[1]}"`;
  return reply.startsWith('END') ? 'a miss' : reply.trim();
}

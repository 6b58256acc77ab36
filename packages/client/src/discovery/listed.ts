/**
 * Servers listed by a file or behind a URL: lines of `host:port` with `#` comments, or a JSON list of strings.
 * For whole route configurations give `config: { file }` or `config: { url }` instead.
 */
import { readFile } from 'node:fs/promises';
import { parseAddress } from '@larder/routing';
import { type Duration, durationMs } from '../duration.ts';
import { CacheError, CacheErrorCode } from '../errors.ts';
import type { Discovery } from './discovery.ts';

export interface ListedOptions {
  /** How long until the next look. 10 s by default. */
  readonly interval?: Duration;
}

const INTERVAL_MS_DEFAULT = 10_000;
const LIST_CHARACTERS_MAX = 1024 * 1024;

function wrong(source: string, what: string): CacheError {
  return new CacheError(CacheErrorCode.discovery, `${source} is no list of servers: ${what}`);
}

/** The servers of a list's text. */
export function parseServerList(text: string, source: string): readonly string[] {
  if (text.length > LIST_CHARACTERS_MAX) throw wrong(source, 'it is longer than 1 MiB');
  const servers = text.trimStart().startsWith('[') ? fromJson(text, source) : fromLines(text);
  if (servers.length === 0) throw wrong(source, 'it is empty');
  for (const server of servers) {
    try {
      parseAddress(server);
    } catch (thrown) {
      throw wrong(source, thrown instanceof Error ? thrown.message : String(thrown));
    }
  }
  return servers;
}

function fromLines(text: string): string[] {
  const lines = text.split('\n').map((line) => line.replace(/#.*$/, '').trim());
  return lines.filter((line) => line !== '');
}

function fromJson(text: string, source: string): string[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (thrown) {
    throw wrong(source, `its JSON cannot be read (${String(thrown)})`);
  }
  if (!Array.isArray(list) || !list.every((each): each is string => typeof each === 'string')) {
    throw wrong(source, 'expected a list of strings');
  }
  return list;
}

function listed(
  name: string,
  options: ListedOptions,
  read: (signal: AbortSignal) => Promise<string>,
): Discovery {
  return {
    name,
    intervalMs: options.interval === undefined ? INTERVAL_MS_DEFAULT : durationMs(options.interval),
    find: async (signal) => parseServerList(await read(signal), name),
  };
}

/** Servers listed in a file. */
export function fileServers(path: string, options: ListedOptions = {}): Discovery {
  return listed(path, options, (signal) => readFile(path, { encoding: 'utf8', signal }));
}

/** Servers listed behind an HTTP URL. */
export function urlServers(url: string, options: ListedOptions = {}): Discovery {
  return listed(url, options, async (signal) => {
    const response = await fetch(url, { signal, redirect: 'follow' });
    if (!response.ok) throw wrong(url, `it answers ${response.status} ${response.statusText}`);
    return response.text();
  });
}

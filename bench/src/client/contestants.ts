/**
 * The clients that are compared, each in its default configuration with one connection: a function that gets a
 * string. Versions are read from the packages.
 */
import { createRequire } from 'node:module';
import { BenchError } from '../errors.ts';

export const CLIENT_NAMES = ['larder', 'memcache-client', 'memjs', 'memcached', 'memcache'] as const;
export type ClientName = (typeof CLIENT_NAMES)[number];

/** A connected client: the text of a key. */
export interface Contestant {
  get(key: string): Promise<unknown>;
  /** What a get has to give for this text. */
  isValue(value: unknown, text: string): boolean;
  close(): Promise<void> | void;
}

const isText = (value: unknown, text: string): boolean => value === text;

async function larder(address: string): Promise<Contestant> {
  const { Cache } = await import('@larder/client');
  const cache = await Cache.connect({ servers: address });
  return { get: (key) => cache.get(key), isValue: isText, close: () => cache.close() };
}

async function memcacheClient(address: string): Promise<Contestant> {
  const { MemcacheClient } = await import('memcache-client');
  const client = new MemcacheClient({ server: address });
  return {
    get: (key) => client.get(key),
    isValue: (value, text) => (value as { readonly value: unknown } | undefined)?.value === text,
    close: () => client.shutdown(),
  };
}

async function memjs(address: string): Promise<Contestant> {
  const { Client } = await import('memjs');
  const client = Client.create(address);
  return {
    get: (key) => client.get(key),
    // Strings are the caller's business there: it gives bytes.
    isValue: (value, text) => (value as { readonly value: Buffer | null }).value?.toString() === text,
    close: () => client.close(),
  };
}

async function memcached(address: string): Promise<Contestant> {
  const { default: Memcached } = await import('memcached');
  const client = new Memcached(address, { poolSize: 1 });
  return {
    get: (key) =>
      new Promise((resolve, reject) => {
        client.get(key, (error: unknown, value: unknown) => {
          if (error) reject(error);
          else resolve(value);
        });
      }),
    isValue: isText,
    close: () => client.end(),
  };
}

async function memcache(address: string): Promise<Contestant> {
  const { Memcache } = await import('memcache');
  const client = new Memcache({ nodes: [address] });
  await client.connect();
  return { get: (key) => client.get(key), isValue: isText, close: () => client.disconnect() };
}

const CONNECT: Readonly<Record<ClientName, (address: string) => Promise<Contestant>>> = {
  larder,
  'memcache-client': memcacheClient,
  memjs,
  memcached,
  memcache,
};

export function isClientName(name: string): name is ClientName {
  return (CLIENT_NAMES as readonly string[]).includes(name);
}

export function connectClient(name: ClientName, address: string): Promise<Contestant> {
  return CONNECT[name](address);
}

export function clientVersion(name: ClientName): string {
  const require = createRequire(import.meta.url);
  const folder = name === 'larder' ? '@larder/client' : name;
  for (const base of require.resolve.paths(folder) ?? []) {
    try {
      const { version } = require(`${base}/${folder}/package.json`) as { readonly version: string };
      return version;
    } catch {
      // Not in this folder.
    }
  }
  throw new BenchError('MISSING', `${folder} is not installed`);
}

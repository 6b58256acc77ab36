/**
 * Checks options once at the boundary and completes them with defaults. Everything behind it trusts the
 * result; every message names the option at fault.
 */
import {
  adminWarnings,
  decimalWithin,
  integerWithin,
  isLoopback,
  openHosts,
  PORT_MAX,
  resolveHostOptions,
  resolvePort,
  sizeWithin,
} from '@larder/host';
import { ServerError } from '../errors.ts';
import * as limits from '../limits.ts';
import type { RpcOptions, ServerOptions, ServerSettings, TlsOptions } from './server-options.ts';

export function resolveOptions(options: ServerOptions): ServerSettings {
  const settings: ServerSettings = {
    ...resolveHostOptions(options, {
      port: limits.DEFAULT_PORT,
      adminPort: limits.DEFAULT_ADMIN_PORT,
      connectionsMax: limits.DEFAULT_CONNECTIONS,
    }),
    idleTimeoutSeconds: seconds('-o idle_timeout', options.idleTimeoutSeconds, 0, 0),
    refuseWhenFull: options.refuseWhenFull ?? true,
    readBufferBytesMax: resolveReadBuffer(options.readBufferBytesMax),
    tls: resolveTls(options.tls),
    rpc: resolveRpc(options),
    ...resolveSizes(options),
    disableEvictions: options.disableEvictions === true,
    slabFactor: decimalWithin(
      '-f/--slab-growth-factor',
      options.slabFactor ?? limits.DEFAULT_SLAB_FACTOR,
      1.01,
      limits.SLAB_FACTOR_MAX,
    ),
    // memcached's default of 48 and other values below our smallest chunk are common in start scripts.
    chunkBytesMin: Math.max(
      limits.CHUNK_BYTES_MIN,
      integerWithin(
        '-n/--slab-min-size',
        options.chunkBytesMin ?? limits.DEFAULT_CHUNK_BYTES_MIN,
        1,
        limits.CHUNK_BYTES_MAX,
      ),
    ),
    requestsPerEvent: integerWithin(
      '-R/--max-reqs-per-event',
      options.requestsPerEvent ?? limits.DEFAULT_REQUESTS_PER_EVENT,
      1,
      limits.REQUESTS_PER_EVENT_MAX,
    ),
    disableFlushAll: options.disableFlushAll === true,
    enableShutdown: options.enableShutdown === true,
    authFile: options.authFile ?? '',
    memoryFile: options.memoryFile ?? '',
    leaseTokenSeconds: seconds(
      '--lease-token-seconds',
      options.leaseTokenSeconds,
      limits.DEFAULT_LEASE_TOKEN_SECONDS,
      1,
    ),
    staleSeconds: seconds('--stale-seconds', options.staleSeconds, limits.DEFAULT_STALE_SECONDS, 0),
    hugePages: options.hugePages === true,
    calibrate: options.calibrate === true,
    zeroCopy: options.zeroCopy === true,
  };
  assertListens(settings);
  return settings;
}

function resolveSizes(options: ServerOptions): Pick<ServerSettings, 'memoryBytes' | 'itemBytesMax'> {
  const memoryBytes = sizeWithin(
    '-m/--memory-limit',
    options.memoryBytes ?? limits.DEFAULT_MEMORY_BYTES,
    limits.MEMORY_BYTES_MIN,
    limits.MEMORY_BYTES_MAX,
  );
  const itemBytesMax = sizeWithin(
    '-I/--max-item-size',
    options.itemBytesMax ?? limits.DEFAULT_ITEM_BYTES,
    limits.ITEM_BYTES_MIN,
    limits.ITEM_BYTES_MAX,
  );
  if (itemBytesMax > memoryBytes / 2) {
    throw new ServerError(
      'OPTION',
      '-I/--max-item-size: an item may be at most half of the memory limit (-m); raise -m or lower -I',
      { option: '-I/--max-item-size' },
    );
  }
  return { memoryBytes, itemBytesMax };
}

function assertListens({ port, unixSocket, udpPort, tls, rpc }: ServerSettings): void {
  if (port !== 'off' || unixSocket !== '' || udpPort !== 0 || tls !== undefined || rpc !== undefined) return;
  const text = 'nothing to listen on: give a port (-p), a Unix socket (-s) or a TLS port';
  throw new ServerError('OPTION', text, { option: '-p/--port' });
}

function resolveRpc(options: ServerOptions): RpcOptions | undefined {
  const port = resolvePort('--rpc-port', options.rpcPort ?? 'off');
  if (port === 'off') return undefined;
  // The typed protocol has no credentials: it would be a way around those of the others.
  if ((options.authFile ?? '') !== '') {
    throw new ServerError('OPTION', '--rpc-port: the typed protocol has no authentication, so not with -Y', {
      option: '--rpc-port',
    });
  }
  const taken = [options.port ?? limits.DEFAULT_PORT, options.udpPort ?? 0];
  if (port !== 0 && taken.includes(port)) {
    throw new ServerError('OPTION', `--rpc-port: ${port} is the port of the text protocols`, {
      option: '--rpc-port',
    });
  }
  return { port, host: options.rpcHost ?? limits.DEFAULT_HOST };
}

/** 0 means no limit, as in memcached. */
function resolveReadBuffer(given: number | undefined): number {
  const bytes = sizeWithin(
    '-o read_buf_mem_limit',
    given ?? limits.DEFAULT_READ_BUFFER_BYTES,
    0,
    limits.READ_BUFFER_MEGABYTES_MAX * limits.MIB,
  );
  return bytes === 0 ? Number.POSITIVE_INFINITY : bytes;
}

function resolveTls(tls: TlsOptions | undefined): TlsOptions | undefined {
  if (tls === undefined) return undefined;
  if (tls.certFile === '' || tls.keyFile === '') {
    throw new ServerError('OPTION', '--tls-port needs both --tls-cert and --tls-key', {
      option: '--tls-cert',
    });
  }
  return { ...tls, port: Math.max(0, integerWithin('--tls-port', tls.port, -1, PORT_MAX)) };
}

function seconds(option: string, given: number | undefined, fallback: number, min: number): number {
  return integerWithin(option, given ?? fallback, min, limits.SECONDS_MAX);
}

/** What an operator should hear although it is allowed. */
export function settingsWarnings(settings: ServerSettings): string[] {
  const warnings: string[] = [];
  const open = openHosts(settings).join(', ');
  if (open !== '' && settings.authFile === '') {
    warnings.push(
      `listening on ${open} without authentication (-Y): every host that reaches it may read and write`,
    );
  }
  if (settings.rpc !== undefined && !isLoopback(settings.rpc.host)) {
    warnings.push(`the typed protocol is served on ${settings.rpc.host} without authentication`);
  }
  return [...warnings, ...adminWarnings(settings)];
}

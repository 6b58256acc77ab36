/**
 * The arena and the store in it: anonymous memory, a file that survives the process (`-e`), or memory that
 * Node.js shares between threads where libc cannot be called.
 */
import { closeSync, openSync, readSync, renameSync, statSync, truncateSync, unlinkSync } from 'node:fs';
import { planStore, Store, type StoreLayout, SUPERBLOCK_BYTES, whyNotRestartable } from '@larder/cache';
import { Arena, mapArena, mapFileArena, PAGE_BYTES, type TransportKind } from '@larder/datapath';
import type { Logger } from '@larder/host';
import { COPY_BYTES_MAX } from './copy-calibration.ts';
import { ServerError } from './errors.ts';
import { ITEM_BYTES_MIN } from './limits.ts';
import type { ServerSettings } from './options/server-options.ts';

const ITEM_OVERHEAD_BYTES = 64;
const OPTION = '-e/--memory-file';
/** Pages of network buffers per worker: receive buffers, datagrams and a reserve for long replies. */
const NETWORK_PAGES_PER_WORKER = 24;
const NETWORK_PAGES_BASE = 32;
/** Connections whose buffers fit one page on average. */
const CONNECTIONS_PER_PAGE = 32;
/**
 * In a memory file the pages of network buffers are rounded up to this, so that another number of workers or
 * connections still fits the same file. Pages that are not used take no memory.
 */
const FILE_NETWORK_PAGES = 128;

export interface Memory {
  readonly arena: Arena;
  readonly layout: StoreLayout;
  readonly store: Store;
  /** Whether the items of a former process are in it. */
  readonly restored: boolean;
  readonly hugePages: boolean;
}

/** `workers` threads will attach to the store beside this one. */
export function createMemory(
  settings: ServerSettings,
  kind: TransportKind,
  workers: number,
  log: Logger,
): Memory {
  const layout = planStore(
    {
      memoryBytes: settings.memoryBytes,
      itemBytesMax: valueBytesMax(settings.itemBytesMax),
      slabGrowth: settings.slabFactor,
      chunkBytesMin: settings.chunkBytesMin,
      evict: !settings.disableEvictions,
      leaseTokenSeconds: settings.leaseTokenSeconds,
      staleSeconds: settings.staleSeconds,
      copyBytesMax: COPY_BYTES_MAX[kind],
      threads: workers + 1,
    },
    { networkPages: networkPages(settings, workers) },
  );
  if (settings.memoryFile !== '') return memoryInFile(settings.memoryFile, layout, log);
  if (kind === 'node') {
    const arena = Arena.shared(layout.arenaBytes);
    return { arena, layout, store: Store.create(arena, layout), restored: false, hugePages: false };
  }
  const { arena, hugePages } = mapArena(layout.arenaBytes, { hugePages: settings.hugePages });
  if (settings.hugePages && !hugePages) log.warn('no huge pages are available: ordinary ones are used');
  return { arena, layout, store: Store.create(arena, layout), restored: false, hugePages };
}

/** memcached's limit is for the item with its header and key; the store's is for the value. */
function valueBytesMax(itemBytesMax: number): number {
  return Math.max(ITEM_BYTES_MIN, itemBytesMax - ITEM_OVERHEAD_BYTES);
}

function networkPages(settings: ServerSettings, workers: number): number {
  const connections = Math.ceil(settings.connectionsMax / CONNECTIONS_PER_PAGE);
  const pages = NETWORK_PAGES_BASE + workers * NETWORK_PAGES_PER_WORKER + connections;
  return settings.memoryFile === '' ? pages : Math.ceil(pages / FILE_NETWORK_PAGES) * FILE_NETWORK_PAGES;
}

function memoryInFile(path: string, layout: StoreLayout, log: Logger): Memory {
  const found = inspectFile(path, layout);
  if (found.state === 'refused' && !found.isOurs) {
    // Whatever it is, it is not ours to overwrite.
    const movedTo = `${path}.${process.pid}.kept`;
    log.warn({ file: path, reason: found.reason, movedTo }, 'not a memory file: moved away, starting empty');
    renameSync(path, movedTo);
  } else if (found.state === 'refused') {
    log.warn({ file: path, reason: found.reason }, 'the memory file cannot be used: starting empty');
    emptyFile(path, found.bytes);
  }
  const arena = mapLocked(path, layout.arenaBytes);
  const restored = found.state === 'usable';
  const store = restored ? Store.restore(arena, layout) : Store.create(arena, layout);
  if (restored)
    log.info({ file: path, items: store.totals().currItems }, 'items restored from the memory file');
  return { arena, layout, store, restored, hugePages: false };
}

/**
 * Takes the memory of a file that cannot be used. Mapping it locks it, so that it is not taken away from a
 * server that still runs on it; the mapping, which has no memory any more, stays until the process ends.
 */
function emptyFile(path: string, bytes: number): void {
  if (bytes > 0) mapLocked(path, bytes);
  truncateSync(path, 0);
  unlinkSync(path);
}

function mapLocked(path: string, bytes: number): Arena {
  try {
    return mapFileArena(path, bytes);
  } catch (cause) {
    const error = ServerError.from(cause);
    const isBusy = error.code === 'EAGAIN';
    const why = isBusy ? 'it is in use by another process' : error.message;
    const message = `${OPTION}: cannot use ${path}: ${why}`;
    throw new ServerError(isBusy ? 'EBUSY' : error.code, message, { option: OPTION, cause });
  }
}

type FileState =
  | { readonly state: 'absent' }
  | { readonly state: 'usable' }
  | { readonly state: 'refused'; readonly reason: string; readonly isOurs: boolean; readonly bytes: number };

/** Looks at a memory file without mapping it. */
function inspectFile(path: string, layout: StoreLayout): FileState {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) return { state: 'absent' };
  if (!status.isFile())
    throw new ServerError('EEXIST', `${OPTION}: ${path} is not an ordinary file`, { option: OPTION });
  if (status.size === 0) return { state: 'refused', reason: 'it is empty', isOurs: true, bytes: 0 };
  const head = new Uint8Array(SUPERBLOCK_BYTES);
  const descriptor = openSync(path, 'r');
  const bytes = readSync(descriptor, head, 0, head.length, 0);
  closeSync(descriptor);
  const reason = whyNotRestartable(head.subarray(0, bytes), status.size, layout);
  if (reason === null) return { state: 'usable' };
  const isOurs = status.size % PAGE_BYTES === 0 && !reason.includes('not a Larder memory file');
  return { state: 'refused', reason, isOurs, bytes: status.size };
}

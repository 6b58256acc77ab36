/**
 * The arena and the store in it: anonymous memory, a file that survives the process (`-e`), or memory that
 * Node.js shares between threads where libc cannot be called.
 */
import { closeSync, openSync, readSync, statSync, unlinkSync } from 'node:fs';
import { planStore, Store, type StoreLayout, SUPERBLOCK_BYTES, whyNotRestartable } from '@larder/cache';
import { Arena, mapArena, mapFileArena, type TransportKind } from '@larder/datapath';
import { ServerError } from './errors.ts';
import type { Logger } from './logging.ts';
import type { ServerSettings } from './options/server-options.ts';

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
const FILE_NETWORK_PAGES = 512;

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
      itemBytesMax: settings.itemBytesMax,
      slabGrowth: settings.slabFactor,
      chunkBytesMin: settings.chunkBytesMin,
      evict: !settings.disableEvictions,
      leaseTokenSeconds: settings.leaseTokenSeconds,
      staleSeconds: settings.staleSeconds,
      threads: workers + 1,
    },
    { networkPages: networkPages(settings, workers) },
  );
  if (settings.memoryFile !== '') return memoryInFile(settings.memoryFile, kind, layout, log);
  if (kind === 'node') {
    const arena = Arena.shared(layout.arenaBytes);
    return { arena, layout, store: Store.create(arena, layout), restored: false, hugePages: false };
  }
  const { arena, hugePages } = mapArena(layout.arenaBytes, { hugePages: settings.hugePages });
  if (settings.hugePages && !hugePages) log.warn('no huge pages are available: ordinary ones are used');
  return { arena, layout, store: Store.create(arena, layout), restored: false, hugePages };
}

function networkPages(settings: ServerSettings, workers: number): number {
  const connections = Math.ceil(settings.connectionsMax / CONNECTIONS_PER_PAGE);
  const pages = NETWORK_PAGES_BASE + workers * NETWORK_PAGES_PER_WORKER + connections;
  return settings.memoryFile === '' ? pages : Math.ceil(pages / FILE_NETWORK_PAGES) * FILE_NETWORK_PAGES;
}

function memoryInFile(path: string, kind: TransportKind, layout: StoreLayout, log: Logger): Memory {
  const found = inspectFile(path, layout);
  if (found.state === 'foreign') {
    // Whatever it is, it is not ours to overwrite.
    throw new ServerError(
      'EEXIST',
      `${OPTION}: ${path} exists and ${found.reason}; remove it or name another`,
      {
        option: OPTION,
      },
    );
  }
  if (found.state === 'refused') {
    log.warn({ file: path, reason: found.reason }, 'the memory file cannot be used: starting empty');
    // Removed, not truncated: a process that still has it mapped keeps its memory.
    unlinkSync(path);
  }
  let arena: Arena;
  try {
    arena = mapFileArena(path, layout.arenaBytes);
  } catch (cause) {
    const error = ServerError.from(cause);
    throw new ServerError(error.code, `${OPTION}: cannot map ${path}: ${error.message}`, {
      option: OPTION,
      cause,
    });
  }
  const restored = found.state === 'usable';
  const store = restored ? Store.restore(arena, layout) : Store.create(arena, layout);
  if (restored)
    log.info({ file: path, items: store.totals().currItems }, 'items restored from the memory file');
  if (kind === 'node') log.info({ file: path }, 'the memory file is mapped through libc');
  return { arena, layout, store, restored, hugePages: false };
}

type FileState =
  | { readonly state: 'absent' }
  | { readonly state: 'usable' }
  | { readonly state: 'refused'; readonly reason: string }
  | { readonly state: 'foreign'; readonly reason: string };

/** Looks at a memory file without mapping it. */
export function inspectFile(path: string, layout: StoreLayout): FileState {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) return { state: 'absent' };
  if (!status.isFile()) return { state: 'foreign', reason: 'is not an ordinary file' };
  if (status.size === 0) return { state: 'refused', reason: 'it is empty' };
  const head = new Uint8Array(SUPERBLOCK_BYTES);
  const descriptor = openSync(path, 'r');
  const bytes = readSync(descriptor, head, 0, head.length, 0);
  closeSync(descriptor);
  const reason = whyNotRestartable(head.subarray(0, bytes), status.size, layout);
  if (reason === null) return { state: 'usable' };
  const isOurs = bytes === SUPERBLOCK_BYTES && !reason.includes('not a Larder memory file');
  return isOurs ? { state: 'refused', reason } : { state: 'foreign', reason: 'is not a Larder memory file' };
}

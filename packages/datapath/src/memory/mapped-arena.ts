/**
 * Arenas mapped through libc (Linux): anonymous or in a file, visible to all threads of the process. The
 * only part of `memory/` that loads native code, and only when called.
 */
import { adviseUnused, mapAnonymous, mapFile, viewMemory } from '../sys/memory-map.ts';
import { Arena, type ArenaHandle } from './arena.ts';

export interface AnonymousArenaOptions {
  /** Ask for huge pages; falls back to ordinary ones (see `hugePages` of the result). */
  readonly hugePages?: boolean;
}

export interface MappedArena {
  readonly arena: Arena;
  /** Whether the memory is backed by huge pages. */
  readonly hugePages: boolean;
}

/** Maps zeroed anonymous memory; it lives until the process ends. */
export function mapArena(bytes: number, options: AnonymousArenaOptions = {}): MappedArena {
  const memory = mapAnonymous(bytes, { hugePages: options.hugePages === true });
  return { arena: new Arena(memory.buffer, memory.address), hugePages: memory.hugePages };
}

/** Maps a file, which is created with that size when it is missing. Its contents outlive the process. */
export function mapFileArena(path: string, bytes: number): Arena {
  const memory = mapFile(path, bytes);
  return new Arena(memory.buffer, memory.address);
}

/**
 * Zeroes whole pages that nobody uses, and gives those of anonymous memory back to the system until they are
 * touched again.
 */
export function discardPages(arena: Arena, offset: number, bytes: number): void {
  arena.u8.fill(0, offset, offset + bytes);
  if (arena.address !== 0) adviseUnused(arena.address + offset, bytes);
}

/** What to send to another thread so that it sees this arena. */
export function arenaHandle(arena: Arena): ArenaHandle {
  if (arena.address !== 0) return { kind: 'mapped', address: arena.address, bytes: arena.bytes };
  if (arena.buffer instanceof SharedArrayBuffer) return { kind: 'shared', buffer: arena.buffer };
  throw new Error('an ArrayBuffer arena cannot be shared between threads: use Arena.shared()');
}

/** The same arena in this thread. */
export function attachArena(handle: ArenaHandle): Arena {
  if (handle.kind === 'shared') return new Arena(handle.buffer, 0);
  return new Arena(viewMemory(handle.address, handle.bytes), handle.address);
}

/** Arena memory, system calls and scatter-gather transports. Importing this loads nothing native. */
export { DatapathError } from './errors.ts';
export * from './limits.ts';
export { Arena, type ArenaHandle, pageAligned } from './memory/arena.ts';
export { BUFFER_HEADER_BYTES, BufferPool } from './memory/buffer-pool.ts';
export { lock, tryLock, unlock } from './memory/lock.ts';
export { arenaHandle, attachArena, mapArena, mapFileArena } from './memory/mapped-arena.ts';
export { PageTable } from './memory/page-table.ts';
export { SlabAllocator, type SlabClassUsage } from './memory/slab-allocator.ts';
export { SlabClasses } from './memory/slab-classes.ts';
export type { ScatterGatherTarget } from './scatter-gather-target.ts';

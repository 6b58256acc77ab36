/** Arena memory, system calls and scatter-gather transports. Importing this loads nothing native. */
export { BandwidthProbe } from './calibration/bandwidth-probe.ts';
export {
  type CalibrationOptions,
  type CopyThresholdResult,
  calibrateCopyThreshold,
} from './calibration/calibrate.ts';
export { CopyThreshold, type CopyThresholdOptions } from './calibration/copy-threshold.ts';
export { type CopyThresholdSample, deriveCopyThreshold } from './calibration/derive-threshold.ts';
export { DatapathError } from './errors.ts';
export * from './limits.ts';
export { Arena, type ArenaHandle, pageAligned } from './memory/arena.ts';
export { BUFFER_HEADER_BYTES, BufferPool } from './memory/buffer-pool.ts';
export { lock, tryLock, unlock } from './memory/lock.ts';
export { arenaHandle, attachArena, mapArena, mapFileArena } from './memory/mapped-arena.ts';
export { PageTable } from './memory/page-table.ts';
export { SlabAllocator, type SlabClassUsage } from './memory/slab-allocator.ts';
export { SlabClasses } from './memory/slab-classes.ts';
export { SoloCounts } from './memory/solo-counts.ts';
export type { ScatterGatherTarget } from './scatter-gather-target.ts';
export { releaseFreedMemory } from './sys/libc.ts';
export {
  Connection,
  type ConnectionHost,
  ConnectionState,
  type SendableObject,
} from './transport/connection.ts';
export {
  closeListener,
  type OpenOptions,
  openDatagram,
  openListener,
  resolveAddress,
} from './transport/listener.ts';
export {
  AcceptWhenFull,
  type ServeOptions,
  type TlsOptions,
  type TransportLimits,
  type TransportOptions,
} from './transport/options.ts';
export {
  availableTransports,
  createTransport,
  type LoopTransportFactory,
  loadTransport,
  selectTransport,
  TRANSPORT_VARIABLE,
  type TransportAvailability,
  type TransportFactory,
  type TransportProbe,
} from './transport/select.ts';
export {
  CloseReason,
  type ConnectAddress,
  type DatagramReplies,
  type DatagramSource,
  type ListenAddress,
  type ListeningSocket,
  type LoopTransport,
  type Transport,
  type TransportHandler,
  TransportKind,
  type TransportStatistics,
  type WakerHandle,
} from './transport/transport.ts';
export { wake } from './transport/waker.ts';

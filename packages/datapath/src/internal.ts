/** What sibling packages (benchmarks, simulations, further transports) may use; not covered by semver. */
export { errnoName, systemError } from './sys/errno.ts';
export { ioUringUnavailableReason } from './sys/io-uring.ts';
export { errno, type Libc, libc, libcUnavailableReason } from './sys/libc.ts';
export {
  collapseToHugePages,
  type MappedMemory,
  mapAnonymous,
  mapDescriptor,
  mapDescriptorAligned,
  mapFile,
  memfd,
  unmap,
  viewMemory,
} from './sys/memory-map.ts';
export * from './sys/messages.ts';
export { endWithParent } from './sys/parent.ts';
export * from './sys/socket-address.ts';
export * from './sys/sockets.ts';
export { COPIED, type ReleaseSink, ScatterGatherQueue } from './transport/scatter-gather.ts';
export { SimulatedNic, type SimulatedNicOptions } from './transport/simulated-nic.ts';
export { TransportBase } from './transport/transport-base.ts';

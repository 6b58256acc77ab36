/** What a process with worker threads needs, whatever it serves: options, sockets, workers, admin pages, log. */
export { AdminServer } from './admin/admin-server.ts';
export type { AdminSource, MetricsPage } from './admin/pages.ts';
export { errorFacts, HostError, type HostErrorDetails } from './errors.ts';
export { Host, type HostParts } from './host.ts';
export * from './limits.ts';
export { type BoundAddress, Listeners, type SocketRequest } from './listeners.ts';
export { createLogger, type Logger, logLevel } from './logging.ts';
export {
  adminWarnings,
  type HostDefaults,
  type HostOptions,
  type HostSettings,
  openHosts,
  resolveHostOptions,
  resolvePort,
} from './options/host-options.ts';
export { formatHostPort, type HostPort, isLoopback, parseListen } from './options/listen-address.ts';
export { isAddressAllowed, type Network } from './options/networks.ts';
export {
  decimalWithin,
  formatSize,
  integerWithin,
  parseDecimal,
  parseInteger,
  parseMode,
  parseSize,
  sizeWithin,
} from './options/values.ts';
export { chooseTransport, moduleBeside, packageVersion, usableThreads } from './start.ts';
export type { LifeMessage, LogMessage, StartMessage } from './workers/messages.ts';
export type { WorkerPool, WorkerPoolOptions } from './workers/worker-pool.ts';

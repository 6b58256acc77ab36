/**
 * Routing: requests go through a tree of route handles to the servers; the same code in a service's process and in
 * the router. No listening sockets.
 */

export { formatAdvice } from './advise/advice-report.ts';
export { type FamilyOf, familyByList, familyByPrefix } from './advise/key-family.ts';
export { advisePools, type Deployment, type FamilyAdvice, PoolVerdict } from './advise/pool-advice.ts';
export { parseTrafficLine, type TrafficEvent } from './advise/traffic-event.ts';
export { type FamilyTraffic, TrafficSample, type TrafficSampleOptions } from './advise/traffic-sample.ts';
export { type WatchOptions, watchServer } from './advise/watch-source.ts';
export { type Clock, type Random, systemClock, type TimerHandle } from './clock.ts';
export type { Resolution, ResolveName } from './config/resolver.ts';
export type { ConfigSource, ConfigSourceOptions } from './config/source.ts';
export {
  type Address,
  formatAddress,
  needsResolving,
  type ParsedAddress,
  parseAddress,
} from './destination/address.ts';
export type { DatagramTotals } from './destination/datagram-exchange.ts';
export {
  type Destination,
  DestinationState,
  type DestinationStatistics,
  type ForwardSink,
  type LeaseIssuer,
  type ReplySink,
} from './destination/destination.ts';
export {
  DESTINATION_DEFAULTS,
  type DestinationOptions,
  Dialect,
  type TlsSettings,
} from './destination/destination-options.ts';
export type { Link, LinkFactory, LinkHandler, LinkOptions } from './destination/link.ts';
export { nodeLinks } from './destination/node-link.ts';
export { RoutingError } from './errors.ts';
export { ROUTE_HANDLES } from './handles/index.ts';
export { NullRoute } from './handles/null-route.ts';
export { PoolRoute } from './handles/pool-route.ts';
export { findSpool } from './handles/spooled-destination.ts';
export * from './limits.ts';
export {
  type BuildContext,
  defineRouteHandle,
  type Kept,
  type Pool,
  type RouteHandleDefinition,
  type RouteJson,
  type RoutesJson,
  type RoutingServices,
  routeJson,
  routesJson,
} from './registry.ts';
export { isError, isFailover, RESULT_NAMES, Reply, Result } from './reply.ts';
export {
  isArithmetic,
  isDelete,
  isMeta,
  isRetrieval,
  isStore,
  NO_BYTES,
  OPERATION_NAMES,
  Operation,
  operationOf,
  Request,
} from './request.ts';
export type { MightAsk, RouteHandle } from './route-handle.ts';
export {
  type ConfigurationInfo,
  poolConfig,
  Routing,
  type RoutingObserver,
  type RoutingOptions,
} from './routing.ts';
export { SyncPolicy } from './spool/segment-writer.ts';
export { Spool, type SpoolOptions } from './spool/spool.ts';
export { type SpoolContents, spoolContents } from './spool/spool-contents.ts';
export { checkSpoolFolder } from './spool/spool-folder.ts';
export type { SpoolStatistics } from './spool/spool-statistics.ts';
export { destinationsOf, type PassedHandle, reachable, traverse } from './traverse.ts';

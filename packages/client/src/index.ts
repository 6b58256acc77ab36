/** The cache client a service imports: typed values, leases, batching, flow control, routing in the process. */
export { Cache, type SpoolState } from './cache.ts';
export type { Discovery } from './discovery/discovery.ts';
export { type DnsOptions, dnsServers } from './discovery/dns.ts';
export { type ElastiCacheOptions, elastiCache } from './discovery/elasticache.ts';
export { fileServers, type ListedOptions, urlServers } from './discovery/listed.ts';
export { type Duration, type DurationUnit, durationMs } from './duration.ts';
export { CacheError, CacheErrorCode, type CacheErrorOptions } from './errors.ts';
export { CacheEmitter, type CacheEvents, type Trouble } from './events.ts';
export {
  FlowWindow,
  type FlowWindowOptions,
  type FlowWindowState,
  processWindow,
  WindowOutcome,
} from './flow/window.ts';
export type { Factory, FactoryContext, GetOrSetOptions } from './leases/options.ts';
export * from './limits.ts';
export { Loader, type LoaderMemo, type LoaderOptions } from './loader.ts';
export type {
  ArithmeticOptions,
  CacheOptions,
  CallOptions,
  CasOutcome,
  CasValue,
  DeleteOptions,
  GetOptions,
  HashSettings,
  RouteConfig,
  SetOptions,
  UdpOptions,
  UpdateOptions,
} from './options.ts';
export { Plan, type PlanNode, PlanResult, type PlanValueOptions } from './plan/plan.ts';
export { CacheStatistics } from './statistics.ts';
export type { CodecOptions, ObjectFormat, ValueSchema } from './values/codec.ts';
export type { CompressionOptions } from './values/compression.ts';
export { ValueFlag } from './values/flags.ts';
export { type WireBuilderClass, type WireViewClass, wireSchema } from './values/wire-schema.ts';

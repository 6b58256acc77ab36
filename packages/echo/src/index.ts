/** An echo server for every serializer that Larder is compared with, and a load for it. */
export type { EchoTree } from './echo-tree.ts';
export { EchoError } from './errors.ts';
export type { EchoLoadOptions } from './load/options.ts';
export { type EchoLoadResult, runEchoLoad } from './load/run-echo-load.ts';
export type { EchoLatency } from './load/tally.ts';
export { loadSerializer } from './serializers/registry.ts';
export type { EchoSerializer } from './serializers/serializer.ts';
export { SERIALIZERS, type SerializerEntry } from './serializers/serializer-list.ts';
export type { EchoCodec, EchoOutput } from './server/echo-codec.ts';
export { type EchoServerOptions, type RunningEchoServer, startEchoServer } from './server/echo-server.ts';

/** The typed protocol: what the schema compiler made of rpc/larder-rpc.proto. */
export * from './rpc/larder-rpc.larder.ts';

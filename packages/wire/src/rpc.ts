/**
 * Remote calls: what generated clients and servers are written against, channels that carry calls, and a server
 * for services of one's own.
 */
export { ConnectionChannel } from './rpc/connection-channel.ts';
export { DatagramChannel, type DatagramChannelOptions } from './rpc/datagram-channel.ts';
export { Failure, type FailureInit, FailureView } from './rpc/failure.larder.ts';
export { FAILURE_TYPE, RpcError } from './rpc/rpc-error.ts';
export { RpcServer, type RpcServerOptions } from './rpc/rpc-server.ts';
export type { RpcChannel, RpcMethod, RpcService } from './rpc/rpc-service.ts';
export { SocketChannel } from './rpc/socket-channel.ts';

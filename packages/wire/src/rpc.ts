/** What generated clients and servers of services are written against. */
export type { RpcChannel, RpcMethod, RpcService } from './rpc/rpc-service.ts';

/** Types of what pbjs made from schemas/kv.proto: what the benchmark uses of it. */
import type { Reader, Writer } from 'protobufjs/minimal.js';

interface StaticMessage<T> {
  encode(message: T, writer?: Writer): Writer;
  decode(reader: Reader | Uint8Array, length?: number): T;
}

export interface GetRequestFields {
  id: number;
  key: Uint8Array;
  segment: number;
}

export interface GetReplyFields {
  id: number;
  vals: Uint8Array[];
}

export interface PutRequestFields {
  id: number;
  key: Uint8Array;
  val: Uint8Array;
}

export interface PutReplyFields {
  id: number;
}

export const larder: {
  readonly bench: {
    readonly GetRequest: StaticMessage<GetRequestFields>;
    readonly GetReply: StaticMessage<GetReplyFields>;
    readonly PutRequest: StaticMessage<PutRequestFields>;
    readonly PutReply: StaticMessage<PutReplyFields>;
  };
};

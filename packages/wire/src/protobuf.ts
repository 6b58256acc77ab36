/**
 * JSON by proto3's mapping and protobuf's binary encoding, for generated messages. An import of its own, because
 * it needs `@bufbuild/protobuf`, which programs that only speak Larder's format need not load.
 */
export {
  type ConvertOptions,
  fromJson,
  fromJsonString,
  fromProtobuf,
  type JsonOptions,
  toJson,
  toJsonString,
  toProtobuf,
} from './interop/convert.ts';
export type { FileSchema, MessageDescription, MessageSchema } from './interop/schema.ts';
export type { UnknownFields } from './interop/unknown-fields.ts';

/**
 * Generated messages to and from JSON (proto3's mapping) and protobuf's binary encoding. The work is
 * protobuf-es's; here views become its messages, and its messages become builders.
 *
 * ```
 *   view ──getters──▶ protobuf-es message ──▶ JSON, protobuf
 *   builder ◀──from── initializer ◀── protobuf-es message ◀── JSON, protobuf
 * ```
 *
 * Fields that the schema does not have are not carried over: see unknown-fields.ts.
 */
import {
  createRegistry,
  type DescMessage,
  fromBinary,
  type JsonValue,
  fromJson as messageFromJson,
  toJson as messageToJson,
  type Registry,
  toBinary,
} from '@bufbuild/protobuf';
import { type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect';
import type { ExtraCosts } from '../decode/follow-all.ts';
import type { View } from '../decode/view.ts';
import type { Encoder } from '../encode/encoder.ts';
import type { WireObject } from '../encode/wire-object.ts';
import { WireError } from '../errors.ts';
import { descriptorOf } from './descriptors.ts';
import { fillInit } from './fill-init.ts';
import { readView } from './read-view.ts';
import type { MessageDescription, MessageSchema } from './schema.ts';
import type { UnknownFields } from './unknown-fields.ts';

export interface ConvertOptions {
  /**
   * Fields of a newer schema: dropped, which is what happens without this, or the conversion throws `UNKNOWN`. To pass
   * them on, send a view as it came.
   */
  readonly unknownFields?: UnknownFields;
}

/** `unknownFields` is about what is converted to JSON. */
/** What objects and elements take as JavaScript values, roughly. */
const CONVERTED_COSTS: ExtraCosts = { objectBytes: 256, elementBytes: 16 };
/** What they may take together: this, or so many times the message. Without sharing nothing takes 32 times as much. */
const CONVERTED_BYTES_MIN = 16 * 1024 * 1024;
const CONVERTED_FACTOR = 32;

export interface JsonOptions extends ConvertOptions {
  /** Fields without presence are written even when they have their default value. */
  readonly alwaysEmitImplicit?: boolean;
  /** Enums as numbers instead of names. */
  readonly enumAsInteger?: boolean;
  /** The names of the schema (`foo_bar`) instead of JSON names (`fooBar`). */
  readonly useProtoFieldName?: boolean;
  /** Reading: fields that the schema does not have are passed over instead of refused. */
  readonly ignoreUnknownFields?: boolean;
  /** What may be inside google.protobuf.Any. */
  readonly types?: readonly MessageDescription[];
}

/** A view as JSON. Throws `WireError` for what the view cannot read, or JSON cannot express. */
export function toJson<B extends WireObject, I, V extends View>(
  schema: MessageSchema<B, I, V>,
  view: V,
  options: JsonOptions = {},
): JsonValue {
  const desc = descriptorOf(schema);
  const { types, ignoreUnknownFields: _reading, unknownFields = 'drop', ...rest } = options;
  const { message } = readAll(desc, schema, view, unknownFields);
  return guarded(() => messageToJson(desc, message, { ...rest, ...registryOption(types) }));
}

/** As `toJson`, in text. */
export function toJsonString<B extends WireObject, I, V extends View>(
  schema: MessageSchema<B, I, V>,
  view: V,
  options: JsonOptions = {},
): string {
  return JSON.stringify(toJson(schema, view, options));
}

/** A builder with what JSON says. Throws `WireError` when it does not fit the schema. */
export function fromJson<B extends WireObject, I, V extends View>(
  schema: MessageSchema<B, I, V>,
  json: JsonValue,
  options: JsonOptions = {},
  encoder?: Encoder,
): B {
  const desc = descriptorOf(schema);
  const { types, ignoreUnknownFields } = options;
  const message = guarded(() =>
    messageFromJson(desc, json, {
      ...(ignoreUnknownFields === undefined ? {} : { ignoreUnknownFields }),
      ...registryOption(types),
    }),
  );
  return schema.builder.from(fillInit(reflect(desc, message), schema, 'drop') as I, encoder);
}

/** As `fromJson`, from text. */
export function fromJsonString<B extends WireObject, I, V extends View>(
  schema: MessageSchema<B, I, V>,
  text: string,
  options: JsonOptions = {},
  encoder?: Encoder,
): B {
  const json = guarded(() => JSON.parse(text) as JsonValue);
  return fromJson(schema, json, options, encoder);
}

/** A view in protobuf's binary encoding. */
export function toProtobuf<B extends WireObject, I, V extends View>(
  schema: MessageSchema<B, I, V>,
  view: V,
  { unknownFields = 'drop' }: ConvertOptions = {},
): Uint8Array {
  const desc = descriptorOf(schema);
  const { message } = readAll(desc, schema, view, unknownFields);
  return guarded(() => toBinary(desc, message));
}

/** A builder with what a protobuf message says. */
export function fromProtobuf<B extends WireObject, I, V extends View>(
  schema: MessageSchema<B, I, V>,
  bytes: Uint8Array,
  encoder?: Encoder,
  { unknownFields = 'drop' }: ConvertOptions = {},
): B {
  const desc = descriptorOf(schema);
  const message = guarded(() => fromBinary(desc, bytes));
  return schema.builder.from(fillInit(reflect(desc, message), schema, unknownFields) as I, encoder);
}

/** Everything becomes objects, so what hostile messages lead to again and again is counted as such before. */
function readAll<B extends WireObject, I, V extends View>(
  desc: DescMessage,
  schema: MessageSchema<B, I, V>,
  view: V,
  unknownFields: UnknownFields,
): ReflectMessage {
  const { $message: message, $at, $depth } = view;
  const limit = Math.max(CONVERTED_BYTES_MIN, message.root.bytes * CONVERTED_FACTOR);
  if (!message.isWithin(limit, $at, $depth, schema.view, CONVERTED_COSTS))
    throw new WireError('TRAVERSAL', 'the message leads to far more than it has');
  return readView(desc, schema, view, unknownFields);
}

function registryOption(types: readonly MessageDescription[] | undefined): { readonly registry?: Registry } {
  return types === undefined ? {} : { registry: createRegistry(...types.map(descriptorOf)) };
}

/** What protobuf-es and JSON.parse refuse is a wrong type as far as the caller is concerned. */
function guarded<T>(convert: () => T): T {
  try {
    return convert();
  } catch (error) {
    throw WireError.from(error);
  }
}

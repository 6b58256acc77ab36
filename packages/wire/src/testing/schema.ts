/** Schemas as data, and values for them: what the tests use where they need any schema at all. */
export type ScalarKind =
  | 'bool'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'int64Number'
  | 'uint64Number'
  | 'float'
  | 'double';
export type FieldKind = ScalarKind | 'string' | 'bytes' | 'message';

export interface Field {
  readonly number: number;
  readonly kind: FieldKind;
  readonly label?: 'optional' | 'repeated' | 'map';
  /** Of `message` fields; a name in the schema's `messages`. */
  readonly message?: string;
  /** Of maps. */
  readonly key?: Exclude<ScalarKind, 'float' | 'double'> | 'string';
}

/** Messages by name; `root` is the one that is sent. Fields are in order of their numbers. */
export type Schema = Readonly<Record<string, readonly Field[]>>;

export type Value = boolean | number | bigint | string | Uint8Array | Fields | Value[] | [Value, Value][];
/** Fields that are present, by number. */
export type Fields = Map<number, Value>;

/** Bytes of an element of a packed list; 0 for lists of pointers. */
export function elementBytes(kind: FieldKind): number {
  switch (kind) {
    case 'bool':
      return 1;
    case 'int32':
    case 'uint32':
    case 'float':
      return 4;
    case 'string':
    case 'bytes':
    case 'message':
      return 0;
    default:
      return 8;
  }
}

/** Whether a value is left out of a field without `optional`. */
export function isDefault(value: Value): boolean {
  if (value instanceof Map) return false;
  if (typeof value === 'string' || value instanceof Uint8Array || Array.isArray(value))
    return value.length === 0;
  if (typeof value === 'number') return Object.is(value, 0);
  return value === false || value === 0n;
}

type Json = string | number | boolean | Json[] | { [key: string]: Json };

/** Values as JSON: 64-bit integers and special numbers as text, bytes as hexadecimal text. */
export function toJson(schema: Schema, name: string, fields: Fields): { [key: string]: Json } {
  const json: { [key: string]: Json } = {};
  for (const field of schema[name]!) {
    const value = fields.get(field.number);
    if (value !== undefined) json[field.number] = fieldToJson(schema, field, value);
  }
  return json;
}

function fieldToJson(schema: Schema, field: Field, value: Value): Json {
  if (field.label === 'repeated') return (value as Value[]).map((item) => itemToJson(schema, field, item));
  if (field.label === 'map') {
    return (value as [Value, Value][]).map(([key, item]) => [
      typeof key === 'bigint' ? String(key) : (key as Json),
      itemToJson(schema, field, item),
    ]);
  }
  return itemToJson(schema, field, value);
}

function itemToJson(schema: Schema, field: Field, value: Value): Json {
  if (value instanceof Map) return toJson(schema, field.message!, value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))) {
    return Object.is(value, -0) ? '-0' : String(value);
  }
  return value as Json;
}

export function fromJson(schema: Schema, name: string, json: { readonly [key: string]: unknown }): Fields {
  const fields: Fields = new Map();
  for (const field of schema[name]!) {
    const value = json[field.number];
    if (value !== undefined) fields.set(field.number, fieldFromJson(schema, field, value));
  }
  return fields;
}

function fieldFromJson(schema: Schema, field: Field, json: unknown): Value {
  if (field.label === 'repeated') return (json as unknown[]).map((item) => itemFromJson(schema, field, item));
  if (field.label === 'map') {
    return (json as [unknown, unknown][]).map(([key, item]): [Value, Value] => [
      itemFromJson(schema, { number: 1, kind: field.key! }, key),
      itemFromJson(schema, field, item),
    ]);
  }
  return itemFromJson(schema, field, json);
}

function itemFromJson(schema: Schema, field: Field, json: unknown): Value {
  switch (field.kind) {
    case 'message':
      return fromJson(schema, field.message!, json as { [key: string]: unknown });
    case 'bytes':
      return new Uint8Array(Buffer.from(json as string, 'hex'));
    case 'int64':
    case 'uint64':
      return BigInt(json as string);
    case 'string':
    case 'bool':
      return json as Value;
    default:
      return Number(json);
  }
}

/**
 * The wire format written down a second time, as plainly as docs/protocol/wire-format.md says it: the tests hold
 * the runtime against it. Slow, and with no protection against hostile input but JavaScript's own.
 */
import { elementBytes, type Field, type Fields, isDefault, type Schema, type Value } from './schema.ts';

/** Structure and copied data of a message, growing. */
class Output {
  readonly structure: number[] = [];
  readonly data: number[] = [];
  /** Places in the structure that hold offsets into the data. */
  readonly dataOffsets: number[] = [];

  take(bytes: number): number {
    const at = this.structure.length;
    for (let index = 0; index < bytes; index++) this.structure.push(0);
    return at;
  }

  put(at: number, bytes: Uint8Array): void {
    for (const [index, byte] of bytes.entries()) this.structure[at + index] = byte;
  }

  putU32(at: number, value: number): void {
    this.put(at, scalarBytes('uint32', value).subarray(0, 4));
  }

  /** Size or count, and the offset of what is appended to the data. */
  putData(at: number, count: number, bytes: Uint8Array, alignment: number): void {
    if (bytes.length > 0) while (this.data.length % alignment !== 0) this.data.push(0);
    this.putU32(at, count);
    this.putU32(at + 4, bytes.length === 0 ? 0 : this.data.length);
    if (bytes.length > 0) this.dataOffsets.push(at + 4);
    for (const byte of bytes) this.data.push(byte);
  }
}

function scalarBytes(kind: string, value: Value): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  if (kind === 'bool') view.setUint8(0, value === true ? 1 : 0);
  else if (kind === 'int32') view.setInt32(0, value as number, true);
  else if (kind === 'uint32') view.setUint32(0, value as number, true);
  else if (kind === 'float') view.setFloat32(0, value as number, true);
  else if (kind === 'double') view.setFloat64(0, value as number, true);
  else if (kind.startsWith('int64')) view.setBigInt64(0, BigInt(value as number), true);
  else view.setBigUint64(0, BigInt(value as number), true);
  return new Uint8Array(view.buffer);
}

/** All data is copied; fields lie in the order of their numbers. */
export function encodeReference(schema: Schema, fields: Fields): Uint8Array {
  const output = new Output();
  encodeObject(output, schema, 'root', fields);
  const { structure, data } = output;
  for (const at of output.dataOffsets) {
    const offset = structure[at]! + structure[at + 1]! * 256 + structure[at + 2]! * 65536;
    output.putU32(at, structure.length + offset);
  }
  return Uint8Array.from([...structure, ...data]);
}

function encodeObject(output: Output, schema: Schema, name: string, fields: Fields): number {
  const present = schema[name]!.filter((field) => {
    const value = fields.get(field.number);
    return value !== undefined && (field.label === 'optional' || !isDefault(value));
  });
  const last = present.at(-1)?.number ?? 1;
  const words = Math.ceil(last / 32) | 1;
  const at = output.take(4 + words * 4 + present.length * 8);
  output.putU32(at, words);
  for (const { number } of present) {
    const byte = at + 4 + ((number - 1) >> 3);
    output.structure[byte] = output.structure[byte]! | (1 << ((number - 1) & 7));
  }
  for (const [index, field] of present.entries()) {
    encodeField(output, schema, field, fields.get(field.number)!, at + 4 + words * 4 + index * 8);
  }
  return at;
}

function encodeField(output: Output, schema: Schema, field: Field, value: Value, p: number): void {
  const { label, kind } = field;
  if (label === 'repeated' && elementBytes(kind) > 0) {
    const bytes = elementBytes(kind);
    const items = (value as Value[]).flatMap((item) => [...scalarBytes(kind, item).subarray(0, bytes)]);
    output.putData(p, (value as Value[]).length, Uint8Array.from(items), bytes);
  } else if (label === 'repeated') {
    const items = value as Value[];
    const list = output.take(items.length * 8);
    output.putU32(p, items.length);
    output.putU32(p + 4, list);
    for (const [index, item] of items.entries()) encodeItem(output, schema, field, item, list + index * 8);
  } else if (label === 'map') {
    const pairs = value as [Value, Value][];
    const list = output.take(pairs.length * 16);
    output.putU32(p, pairs.length);
    output.putU32(p + 4, list);
    for (const [index, [key, item]] of pairs.entries()) {
      encodeItem(output, schema, { number: 1, kind: field.key! }, key, list + index * 16);
      encodeItem(output, schema, field, item, list + index * 16 + 8);
    }
  } else {
    encodeItem(output, schema, field, value, p);
  }
}

function encodeItem(output: Output, schema: Schema, field: Field, value: Value, p: number): void {
  if (field.kind === 'message') {
    output.putU32(p + 4, encodeObject(output, schema, field.message!, value as Fields));
  } else if (field.kind === 'bytes' || field.kind === 'string') {
    const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : (value as Uint8Array);
    output.putData(p, bytes.length, bytes, 1);
  } else {
    output.put(p, scalarBytes(field.kind, value));
  }
}

/** Reads a message of the schema; fields that the schema does not know are skipped. */
export function decodeReference(schema: Schema, bytes: Uint8Array): Fields {
  return decodeObject(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), schema, 'root', 0, 0);
}

function decodeObject(view: DataView, schema: Schema, name: string, at: number, base: number): Fields {
  const words = view.getUint32(at, true);
  if (words === 0xffff_0000) {
    const start = base + view.getUint32(at + 12, true);
    return decodeObject(view, schema, name, start + view.getUint32(at + 4, true), start);
  }
  const fields: Fields = new Map();
  let p = at + 4 + words * 4;
  for (let bit = 0; bit < words * 32; bit++) {
    if ((view.getUint8(at + 4 + (bit >> 3)) & (1 << (bit & 7))) === 0) continue;
    const field = schema[name]!.find((candidate) => candidate.number === bit + 1);
    if (field !== undefined) fields.set(field.number, decodeField(view, schema, field, p, base));
    p += 8;
  }
  return fields;
}

function decodeField(view: DataView, schema: Schema, field: Field, p: number, base: number): Value {
  const count = view.getUint32(p, true);
  const list = base + view.getUint32(p + 4, true);
  const step = elementBytes(field.kind) || 8;
  if (field.label === 'repeated') {
    return Array.from({ length: count }, (_, index) =>
      decodeItem(view, schema, field, list + index * step, base, true),
    );
  }
  if (field.label === 'map') {
    return Array.from({ length: count }, (_, index): [Value, Value] => [
      decodeItem(view, schema, { number: 1, kind: field.key! }, list + index * 16, base, false),
      decodeItem(view, schema, field, list + index * 16 + 8, base, false),
    ]);
  }
  return decodeItem(view, schema, field, p, base, false);
}

function decodeItem(
  view: DataView,
  schema: Schema,
  field: Field,
  p: number,
  base: number,
  isPacked: boolean,
): Value {
  switch (field.kind) {
    case 'bool':
      return isPacked ? view.getUint8(p) !== 0 : view.getUint32(p, true) !== 0;
    case 'int32':
      return view.getInt32(p, true);
    case 'uint32':
      return view.getUint32(p, true);
    case 'float':
      return view.getFloat32(p, true);
    case 'double':
      return view.getFloat64(p, true);
    case 'int64':
      return view.getBigInt64(p, true);
    case 'uint64':
      return view.getBigUint64(p, true);
    case 'int64Number':
      return Number(view.getBigInt64(p, true));
    case 'uint64Number':
      return Number(view.getBigUint64(p, true));
    case 'message':
      return decodeObject(view, schema, field.message!, base + view.getUint32(p + 4, true), base);
    default: {
      const start = view.byteOffset + base + view.getUint32(p + 4, true);
      const bytes = new Uint8Array(view.buffer, start, view.getUint32(p, true)).slice();
      return field.kind === 'bytes' ? bytes : new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
    }
  }
}

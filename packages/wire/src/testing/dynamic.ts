/**
 * Builder and reader for any schema, over the same runtime that generated code calls: so that tests can have
 * schemas of any shape and number of fields.
 */
import * as wire from '../index.ts';
import { type Field, type Fields, isDefault, type ScalarKind, type Schema, type Value } from './schema.ts';

const CODECS: Readonly<Record<string, unknown>> = {
  bool: wire.boolCodec,
  int32: wire.int32Codec,
  uint32: wire.uint32Codec,
  int64: wire.int64Codec,
  uint64: wire.uint64Codec,
  int64Number: wire.int64NumberCodec,
  uint64Number: wire.uint64NumberCodec,
  float: wire.floatCodec,
  double: wire.doubleCodec,
  string: wire.stringCodec,
  bytes: wire.bytesCodec,
};

function codecOf<T>(kind: string): wire.MapCodec<T> {
  return CODECS[kind] as wire.MapCodec<T>;
}

/** One present field: how it measures and writes itself. */
interface Slot {
  readonly number: number;
  readonly measure: (depth: number) => number;
  readonly write: (encoder: wire.Encoder, p: number) => void;
}

const NOTHING = (): number => 0;

export class DynamicObject implements wire.WireObject {
  readonly $encoder: wire.Encoder;
  readonly #slots: Slot[] = [];
  readonly #generation: number;

  constructor(encoder: wire.Encoder, schema: Schema, fields: Fields, name: string = 'root') {
    this.$encoder = encoder;
    this.#generation = encoder.generation;
    for (const field of schema[name]!) {
      const value = fields.get(field.number);
      if (value === undefined || (field.label !== 'optional' && isDefault(value))) continue;
      this.#slots.push({ number: field.number, ...this.#slotOf(schema, field, value) });
    }
  }

  #slotOf(schema: Schema, field: Field, value: Value): Omit<Slot, 'number'> {
    if (field.label === 'repeated') return this.#listSlot(schema, field, value as Value[]);
    if (field.label === 'map') return this.#mapSlot(schema, field, value as [Value, Value][]);
    const encoder = this.$encoder;
    if (field.kind === 'message') {
      const child = new DynamicObject(encoder, schema, value as Fields, field.message);
      return {
        measure: (depth) => child.$measure(depth + 1),
        write: (target, p) => wire.putObject(target.view, p, child.$write(target)),
      };
    }
    const { put } = codecOf<Value>(field.kind);
    if (put !== undefined) return { measure: NOTHING, write: (target, p) => put(target.view, p, value) };
    const place = encoder.stage(value as Uint8Array | string);
    const { size } = encoder;
    return { measure: NOTHING, write: (target, p) => target.putPlace(p, size, place) };
  }

  #listSlot(schema: Schema, field: Field, values: Value[]): Omit<Slot, 'number'> {
    const encoder = this.$encoder;
    if (field.kind === 'message') {
      const list = new wire.MessageListBuilder(encoder, () => this);
      for (const value of values) {
        list.push(new DynamicObject(encoder, schema, value as Fields, field.message));
      }
      return {
        measure: (depth) =>
          list.items.reduce((sum, item) => sum + item.$measure(depth + 1), list.items.length * 8),
        write: (target, p) => {
          const start = list.write(target, p);
          for (const [index, item] of list.items.entries()) {
            wire.putObject(target.view, start + index * 8, item.$write(target));
          }
        },
      };
    }
    if (field.kind === 'string' || field.kind === 'bytes') {
      const list = new wire.BytesListBuilder<Uint8Array | string>(encoder);
      list.appendAll(values as (Uint8Array | string)[]);
      return { measure: () => list.measure(), write: (target, p) => list.write(target, p) };
    }
    const place = wire.stagePacked(encoder, field.kind, values as number[]);
    const { size } = encoder;
    return { measure: NOTHING, write: (target, p) => target.putPlace(p, size, place) };
  }

  #mapSlot(schema: Schema, field: Field, pairs: [Value, Value][]): Omit<Slot, 'number'> {
    const encoder = this.$encoder;
    const key = codecOf<Value>(field.key!);
    if (field.kind !== 'message') {
      const map = new wire.MapBuilder<Value, Value>(encoder, key, codecOf<Value>(field.kind));
      map.setAll(pairs);
      return { measure: () => map.measure(), write: (target, p) => map.write(target, p) };
    }
    const map = new wire.MessageMapBuilder<Value, DynamicObject>(encoder, key, () => this);
    for (const [name, value] of pairs) {
      // The key first, so that the data has the order that the reference gives it.
      map.put(name, this);
      map.set(name, new DynamicObject(encoder, schema, value as Fields, field.message));
    }
    // What was replaced has staged nothing.
    encoder.hasGarbage = false;
    return {
      measure: (depth) => map.items.reduce((sum, item) => sum + item.$measure(depth + 1), map.measure()),
      write: (target, p) => {
        const start = map.write(target, p);
        for (const [index, item] of map.items.entries()) {
          wire.putObject(target.view, start + index * 16, item.$write(target));
        }
      },
    };
  }

  get #words(): number {
    return Math.ceil((this.#slots.at(-1)?.number ?? 1) / 32) | 1;
  }

  $measure(depth: number): number {
    this.$encoder.enter(depth, this.#generation);
    const header = 4 + this.#words * 4 + this.#slots.length * 8;
    return this.#slots.reduce((sum, slot) => sum + slot.measure(depth), header);
  }

  $write(encoder: wire.Encoder): number {
    const words = this.#words;
    const at = encoder.take(4 + words * 4 + this.#slots.length * 8);
    const start = encoder.base + at;
    wire.putBitmap(encoder.view, start, words);
    for (const { number } of this.#slots) {
      const word = start + 4 + ((number - 1) >>> 5) * 4;
      encoder.view.setInt32(word, encoder.view.getInt32(word, true) | (1 << ((number - 1) & 31)), true);
    }
    for (const [index, slot] of this.#slots.entries()) {
      slot.write(encoder, start + 4 + words * 4 + index * 8);
    }
    return at;
  }

  $keep(): void {
    throw new Error('nothing is replaced in a dynamic object');
  }

  $clear(): void {
    this.#slots.length = 0;
  }
}

/** Everything that the schema knows of a message. */
export function readDynamic(schema: Schema, message: wire.Message): Fields {
  return readObject(schema, 'root', message, 0, 0);
}

function readObject(schema: Schema, name: string, message: wire.Message, at: number, depth: number): Fields {
  const opened = message.open(at, depth);
  const { at: place, depth: level } = opened;
  const fields: Fields = new Map();
  for (const field of schema[name]!) {
    const p = opened.slot(place, field.number - 1);
    if (p !== 0) fields.set(field.number, readField(schema, field, opened, p, level));
  }
  return fields;
}

function itemCodec(schema: Schema, field: Field, depth: number): wire.MapCodec<Value> {
  if (field.kind !== 'message') return codecOf<Value>(field.kind);
  return { read: (message, p) => readObject(schema, field.message!, message, message.object(p), depth + 1) };
}

function readField(schema: Schema, field: Field, message: wire.Message, p: number, depth: number): Value {
  const codec = itemCodec(schema, field, depth);
  if (field.label === 'map')
    return [...new wire.MapView<Value, Value>(message, p, codecOf(field.key!), codec)];
  if (field.label !== 'repeated') return codec.read(message, p);
  if (field.kind === 'string') return new wire.StringListView(message, p).toArray();
  if (field.kind === 'bytes') return new wire.BytesListView(message, p).toArray();
  if (field.kind !== 'message') return Array.from<Value>(readPacked(field.kind, message, p) as Value[]);
  const count = message.uint32(p);
  const start = message.list(p, count, 8);
  return Array.from({ length: count }, (_, index) => codec.read(message, start + index * 8));
}

function readPacked(kind: ScalarKind, message: wire.Message, p: number): ArrayLike<Value> {
  switch (kind) {
    case 'bool':
      return wire.readBools(message, p);
    case 'int32':
      return wire.readInt32s(message, p);
    case 'uint32':
      return wire.readUint32s(message, p);
    case 'float':
      return wire.readFloats(message, p);
    case 'double':
      return wire.readDoubles(message, p);
    case 'int64':
      return wire.readInt64s(message, p);
    case 'uint64':
      return wire.readUint64s(message, p);
    case 'int64Number':
      return wire.readInt64Numbers(message, p);
    case 'uint64Number':
      return wire.readUint64Numbers(message, p);
  }
}

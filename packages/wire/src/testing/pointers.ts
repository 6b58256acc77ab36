/** Where the pointers of a valid message lie, and of which kind they are: what a mutation aims at. */
import { elementBytes, type Field, type Schema } from './schema.ts';

export type PointerKind =
  | 'bitmap length'
  | 'bitmap'
  | 'scalar'
  | 'bytes size'
  | 'bytes offset'
  | 'object offset'
  | 'list count'
  | 'list offset'
  | 'packed count'
  | 'packed offset'
  | 'map count'
  | 'map offset'
  | 'relay mark'
  | 'relay place'
  | 'relay bytes'
  | 'relay offset';

/** A word of the message. */
export interface Pointer {
  readonly at: number;
  readonly kind: PointerKind;
}

export function pointersOf(schema: Schema, bytes: Uint8Array): Pointer[] {
  const found: Pointer[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  walkObject({ found, view, schema, base: 0 }, 'root', 0);
  return found;
}

interface Walk {
  readonly found: Pointer[];
  readonly view: DataView;
  readonly schema: Schema;
  readonly base: number;
}

function walkObject(walk: Walk, name: string, at: number): void {
  const { found, view, schema } = walk;
  const words = view.getUint32(at, true);
  if (words === 0xffff_0000) {
    found.push({ at, kind: 'relay mark' }, { at: at + 4, kind: 'relay place' });
    found.push({ at: at + 8, kind: 'relay bytes' }, { at: at + 12, kind: 'relay offset' });
    const base = walk.base + view.getUint32(at + 12, true);
    walkObject({ ...walk, base }, name, base + view.getUint32(at + 4, true));
    return;
  }
  found.push({ at, kind: 'bitmap length' });
  for (let word = 1; word <= words; word++) found.push({ at: at + word * 4, kind: 'bitmap' });
  let p = at + 4 + words * 4;
  for (let bit = 0; bit < words * 32; bit++) {
    if ((view.getUint8(at + 4 + (bit >> 3)) & (1 << (bit & 7))) === 0) continue;
    const field = schema[name]!.find((candidate) => candidate.number === bit + 1);
    if (field !== undefined) walkField(walk, field, p);
    p += 8;
  }
}

function walkField(walk: Walk, field: Field, p: number): void {
  const { found, view } = walk;
  const count = view.getUint32(p, true);
  const list = walk.base + view.getUint32(p + 4, true);
  if (field.label === 'map') {
    found.push({ at: p, kind: 'map count' }, { at: p + 4, kind: 'map offset' });
    for (let index = 0; index < count; index++) {
      walkItem(walk, { number: 1, kind: field.key! }, list + index * 16);
      walkItem(walk, field, list + index * 16 + 8);
    }
  } else if (field.label === 'repeated' && elementBytes(field.kind) > 0) {
    found.push({ at: p, kind: 'packed count' }, { at: p + 4, kind: 'packed offset' });
  } else if (field.label === 'repeated') {
    found.push({ at: p, kind: 'list count' }, { at: p + 4, kind: 'list offset' });
    for (let index = 0; index < count; index++) walkItem(walk, field, list + index * 8);
  } else {
    walkItem(walk, field, p);
  }
}

function walkItem(walk: Walk, field: Field, p: number): void {
  const { found, view } = walk;
  if (field.kind === 'message') {
    found.push({ at: p + 4, kind: 'object offset' });
    walkObject(walk, field.message!, walk.base + view.getUint32(p + 4, true));
  } else if (field.kind === 'bytes' || field.kind === 'string') {
    found.push({ at: p, kind: 'bytes size' }, { at: p + 4, kind: 'bytes offset' });
  } else {
    found.push({ at: p, kind: 'scalar' }, { at: p + 4, kind: 'scalar' });
  }
}

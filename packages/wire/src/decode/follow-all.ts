/**
 * Follows every pointer of an object once for each way that leads to it, as a reader would who reads everything. What
 * that costs is charged to the message, which ends it by `TRAVERSAL`. What is broken costs something, too, and is
 * passed over: a reader gets an error there, and may go on with the rest.
 */
import { WireError } from '../errors.ts';
import { ENTRY_BYTES, MAP_ENTRY_BYTES } from '../limits.ts';
import type { Message } from './message.ts';
import { type PairShape, type PointerShape, type ShapedClass, shapeOf } from './shape.ts';

/** An error takes longer than a read, and honest messages have none. */
const ERROR_BYTES = 1024;

/** What is charged beside the bytes that are visited, for whoever makes something of them. */
export interface ExtraCosts {
  readonly objectBytes: number;
  /** For every element of a list and every pair of a map. */
  readonly elementBytes: number;
}

export const NO_EXTRA_COSTS: ExtraCosts = { objectBytes: 0, elementBytes: 0 };

export function followAll(
  message: Message,
  at: number,
  depth: number,
  type: ShapedClass,
  extra: ExtraCosts,
): void {
  attempt(message, () => followObject(message, at, depth, type, extra));
}

function followObject(
  message: Message,
  at: number,
  depth: number,
  type: ShapedClass,
  extra: ExtraCosts,
): void {
  const opened = message.open(at, depth);
  const { at: place, depth: level } = opened;
  opened.charge(extra.objectBytes);
  for (const field of shapeOf(type)) {
    if (field[1] === 'number') continue;
    attempt(opened, () => {
      const p = opened.slot(place, field[0]);
      if (p !== 0) followField(opened, p, level + 1, field, extra);
    });
  }
}

function followField(
  message: Message,
  p: number,
  depth: number,
  field: PointerShape,
  extra: ExtraCosts,
): void {
  if (field[1] === 'data') {
    followData(message, p);
    return;
  }
  if (field[1] === 'object') {
    followAll(message, message.object(p), depth, field[2], extra);
    return;
  }
  const count = message.uint32(p);
  if (field[1] === 'packed') {
    message.list(p, count, field[2]);
    message.charge(count * extra.elementBytes);
  } else if (field[1] === 'map') {
    const start = message.list(p, count, MAP_ENTRY_BYTES);
    message.charge(count * extra.elementBytes);
    followEach(message, start, count, MAP_ENTRY_BYTES, depth, field[2], extra);
    followEach(message, start + ENTRY_BYTES, count, MAP_ENTRY_BYTES, depth, field[3], extra);
  } else {
    const start = message.list(p, count, ENTRY_BYTES);
    message.charge(count * extra.elementBytes);
    const of = field[1] === 'objects' ? field[2] : 'data';
    followEach(message, start, count, ENTRY_BYTES, depth, of, extra);
  }
}

/** Follows `count` entries of one kind, `step` bytes from one to the next. */
function followEach(
  message: Message,
  start: number,
  count: number,
  step: number,
  depth: number,
  kind: PairShape,
  extra: ExtraCosts,
): void {
  if (kind === 'number') return;
  for (let p = start; p < start + count * step; p += step) {
    if (kind === 'data') attempt(message, () => followData(message, p));
    else followAll(message, message.object(p), depth, kind, extra);
  }
}

function followData(message: Message, p: number): void {
  message.list(p, message.uint32(p), 1);
}

function attempt(message: Message, follow: () => void): void {
  try {
    follow();
  } catch (error) {
    if (!(error instanceof WireError) || error.code === 'TRAVERSAL') throw error;
    message.charge(ERROR_BYTES);
  }
}

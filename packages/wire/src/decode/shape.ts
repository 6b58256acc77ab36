/**
 * What the fields of a message lead to, as generated views tell it: enough to follow every pointer that a reader of
 * that schema could follow, without reading anything.
 */

/** A generated view, as far as its fields are concerned. */
export interface ShapedClass {
  $shape(): Shape;
}

/** What a key or a value of a map leads to. */
export type PairShape = 'number' | 'data' | ShapedClass;

/** A field by its bit in the bitmap, and what its entry leads to. */
export type FieldShape = readonly [bit: number, kind: 'number'] | PointerShape;

/** A field that is more than a number in its entry. */
export type PointerShape =
  /** Bytes or text. */
  | readonly [bit: number, kind: 'data']
  /** A list of numbers, by the bytes of one. */
  | readonly [bit: number, kind: 'packed', elementBytes: number]
  /** A list of bytes or text. */
  | readonly [bit: number, kind: 'list']
  | readonly [bit: number, kind: 'object', of: ShapedClass]
  | readonly [bit: number, kind: 'objects', of: ShapedClass]
  | readonly [bit: number, kind: 'map', key: PairShape, value: PairShape];

export type Shape = readonly FieldShape[];

const shapes = new WeakMap<ShapedClass, Shape>();

/** The shape of a class, made once. */
export function shapeOf(type: ShapedClass): Shape {
  let shape = shapes.get(type);
  if (shape === undefined) {
    shape = type.$shape();
    shapes.set(type, shape);
  }
  return shape;
}

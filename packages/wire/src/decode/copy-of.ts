/** Copies of what a view reads. */
import { Message } from './message.ts';
import type { ShapedClass } from './shape.ts';
import type { View } from './view.ts';

/** A message of its own with the object of a view, whose place is in `at`. */
export function copyOf(view: View, _type: ShapedClass): Message {
  const message = Message.of(view.$message.toUint8Array().slice());
  message.at = view.$at;
  return message;
}

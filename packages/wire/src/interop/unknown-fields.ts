/**
 * Fields that a sender's newer schema has and ours has not. No conversion can carry them over: Larder's entries do
 * not say what type they are of, and protobuf's do not either (a varint may be a bool, an sint64 or an enum; bytes may
 * be text or a message). So they are dropped, as proto3's JSON mapping drops them, or the conversion is refused.
 */
import type { DescMessage } from '@bufbuild/protobuf';
import type { ReflectMessage } from '@bufbuild/protobuf/reflect';
import type { View } from '../decode/view.ts';
import { WireError } from '../errors.ts';

/** What becomes of fields that the schema does not have; without it they are dropped. */
export type UnknownFields = 'drop' | 'refuse';

/** Throws `UNKNOWN` when the object under a view has fields that its schema has not. */
export function refuseUnknownInView(desc: DescMessage, view: View): void {
  const { memory, base } = view.$message;
  // The view's constructor has checked the header.
  const start = base + view.$at;
  const words = memory.view.getUint32(start, true);
  const known = new Set(desc.fields.map(({ number }) => number));
  for (let word = 0; word < words; word++) {
    const bits = memory.view.getInt32(start + 4 + word * 4, true);
    for (let left = bits; left !== 0; left &= left - 1) {
      const number = word * 32 + 32 - Math.clz32(left & -left);
      if (!known.has(number)) throw unknownField(desc, number);
    }
  }
}

/** The same for a message of protobuf-es, which keeps what it does not know. */
export function refuseUnknownInMessage(message: ReflectMessage): void {
  const unknown = message.getUnknown()?.[0];
  if (unknown !== undefined) throw unknownField(message.desc, unknown.no);
}

function unknownField(desc: DescMessage, number: number): WireError {
  return new WireError('UNKNOWN', `${desc.typeName} has a field ${number} that the schema does not have`);
}

/** What generated code says about its messages, so that they can be converted without knowing them. */
import type { Message } from '../decode/message.ts';
import type { ShapedClass } from '../decode/shape.ts';
import type { View } from '../decode/view.ts';
import type { Encoder } from '../encode/encoder.ts';
import type { WireObject } from '../encode/wire-object.ts';

/** A schema file: its descriptor without comments and options, and the files whose types it uses. */
export interface FileSchema {
  readonly name: string;
  /** A serialized google.protobuf.FileDescriptorProto in base64. */
  readonly descriptor: string;
  readonly imports: () => readonly FileSchema[];
}

/** A message as far as its fields are concerned. */
export interface MessageDescription {
  readonly typeName: string;
  readonly file: () => FileSchema;
  /** What the fields are called in TypeScript, in the order of the descriptor. */
  readonly properties: readonly string[];
  /** The messages that its fields have. */
  readonly uses: () => readonly MessageDescription[];
}

/** A generated message: `Builder` with its initializer `Init`, and `Read`, its view. */
export interface MessageSchema<Builder extends WireObject, Init, Read extends View>
  extends MessageDescription {
  readonly builder: { from(init: Init, encoder?: Encoder): Builder };
  readonly view: (new (message: Message) => Read) & ShapedClass;
}

/**
 * Messages of `@larder/wire` as values: stored as they are sent, read as a lazy view. Nothing is decoded until a
 * getter is called, so reading one field of a large object costs one field.
 */
import { type Encoder, encode, type WireObject } from '@larder/wire';
import type { ValueSchema } from './codec.ts';

/** The generated builder of a message. */
export interface WireBuilderClass<Init, Builder extends WireObject> {
  new (encoder?: Encoder): Builder;
  from(init: Init, encoder?: Encoder): Builder;
}

/** The generated view of a message. */
export interface WireViewClass<View> {
  read(bytes: Uint8Array): View;
}

/**
 * The schema of a generated message: `wireSchema(User, UserView)`. Stored are builders or plain objects of the
 * message's fields; read is the view.
 */
export function wireSchema<Init extends object, Builder extends WireObject, View>(
  builder: WireBuilderClass<Init, Builder>,
  view: WireViewClass<View>,
): ValueSchema<Init | Builder, View> {
  return {
    encode: (value) => encode(value instanceof builder ? value : builder.from(value as Init)),
    decode: (bytes) => view.read(bytes),
  };
}

/** The messages of schemas/kv.proto. */
import * as wire from '@larder/wire';

/** message GetRequest: what is sent. */
export class GetRequest implements wire.WireObject {
  readonly $encoder: wire.Encoder;
  $bits = 0;
  $header = 0;
  $generation = 0;
  id = 0;
  $keySize = 0;
  $keyPlace = 0;
  segment = 0;

  constructor(encoder: wire.Encoder = new wire.Encoder()) {
    this.$encoder = encoder;
  }

  static from(init: GetRequestInit, encoder?: wire.Encoder): GetRequest {
    return new GetRequest(encoder).assign(init);
  }

  assign(init: GetRequestInit): this {
    if (init.id !== undefined) this.id = init.id;
    if (init.key !== undefined) this.key = init.key;
    if (init.segment !== undefined) this.segment = init.segment;
    return this;
  }

  get key(): Uint8Array {
    return this.$encoder.peek(this.$keySize, this.$keyPlace);
  }
  set key(value: Uint8Array | string) {
    const encoder = this.$encoder;
    this.$generation = encoder.claim(this.$generation);
    encoder.drop(this.$keySize, this.$keyPlace);
    this.$keySize = 0;
    this.$keyPlace = encoder.stage(value);
    this.$keySize = encoder.size;
  }

  /** Begins another message: everything that this encoder holds is given back. */
  reset(): this {
    this.$encoder.reset();
    this.$clear();
    return this;
  }

  $clear(): void {
    this.$generation = 0;
    this.id = 0;
    this.$keySize = 0;
    this.segment = 0;
  }

  $measure(depth: number): number {
    this.$encoder.enter(depth, this.$generation);
    let bits = 0;
    let header = 8;
    if (this.id !== 0) {
      bits |= 1;
      header += 8;
    }
    if (this.$keySize > 0) {
      bits |= 2;
      header += 8;
    }
    if (this.segment !== 0) {
      bits |= 4;
      header += 8;
    }
    this.$bits = bits;
    this.$header = header;
    return header;
  }

  $write(encoder: wire.Encoder): number {
    const at = encoder.take(this.$header);
    const { view } = encoder;
    const bits = this.$bits;
    let p = encoder.base + at;
    view.setInt32(p, 1, true);
    view.setInt32(p + 4, bits, true);
    p += 8;
    if ((bits & 1) !== 0) {
      wire.putUint32(view, p, this.id);
      p += 8;
    }
    if ((bits & 2) !== 0) {
      encoder.putPlace(p, this.$keySize, this.$keyPlace);
      p += 8;
    }
    if ((bits & 4) !== 0) {
      wire.putUint32(view, p, this.segment);
      p += 8;
    }
    return at;
  }
}

export interface GetRequestInit {
  readonly id?: number;
  readonly key?: Uint8Array | string;
  readonly segment?: number;
}

/** message GetRequest: what is received. */
export class GetRequestView extends wire.View {
  $message: wire.Message;
  $at: number;
  $entries: number;
  $bits: number;
  $depth: number;

  constructor(message: wire.Message, at: number = 0, depth: number = 0) {
    super();
    const opened = message.open(at, depth);
    this.$message = opened;
    this.$at = opened.at;
    this.$entries = opened.entries;
    this.$bits = opened.bits;
    this.$depth = opened.depth;
  }

  static read(bytes: Uint8Array): GetRequestView {
    return new GetRequestView(wire.Message.of(bytes));
  }

  copy(): GetRequestView {
    return new GetRequestView(wire.copyOf(this), this.$at, this.$depth);
  }

  get id(): number {
    return (this.$bits & 1) === 0 ? 0 : this.$message.uint32(this.$entries);
  }

  get key(): Uint8Array {
    return (this.$bits & 2) === 0
      ? wire.NO_BYTES
      : this.$message.bytesAt(this.$entries + wire.popcount(this.$bits & 1) * 8);
  }
  locateKey(): wire.ByteRange | undefined {
    return (this.$bits & 2) === 0
      ? undefined
      : this.$message.locate(this.$entries + wire.popcount(this.$bits & 1) * 8);
  }

  get segment(): number {
    return (this.$bits & 4) === 0
      ? 0
      : this.$message.uint32(this.$entries + wire.popcount(this.$bits & 3) * 8);
  }
}

/** message GetReply: what is sent. */
export class GetReply implements wire.WireObject {
  readonly $encoder: wire.Encoder;
  $bits = 0;
  $header = 0;
  id = 0;
  readonly $vals: wire.BytesListBuilder<Uint8Array>;

  constructor(encoder: wire.Encoder = new wire.Encoder()) {
    this.$encoder = encoder;
    this.$vals = new wire.BytesListBuilder(encoder);
  }

  static from(init: GetReplyInit, encoder?: wire.Encoder): GetReply {
    return new GetReply(encoder).assign(init);
  }

  assign(init: GetReplyInit): this {
    if (init.id !== undefined) this.id = init.id;
    if (init.vals !== undefined) this.vals = init.vals;
    return this;
  }

  get vals(): wire.BytesListBuilder<Uint8Array> {
    return this.$vals;
  }
  set vals(values: Iterable<Uint8Array | string>) {
    this.$vals.drop();
    this.$vals.appendAll(values);
  }

  /** Begins another message: everything that this encoder holds is given back. */
  reset(): this {
    this.$encoder.reset();
    this.$clear();
    return this;
  }

  $clear(): void {
    this.id = 0;
    this.$vals.clear();
  }

  $measure(depth: number): number {
    this.$encoder.enter(depth, 0);
    let bits = 0;
    let header = 8;
    let more = 0;
    if (this.id !== 0) {
      bits |= 1;
      header += 8;
    }
    if (this.$vals.length !== 0) {
      bits |= 2;
      header += 8;
      more += this.$vals.measure();
    }
    this.$bits = bits;
    this.$header = header;
    return header + more;
  }

  $write(encoder: wire.Encoder): number {
    const at = encoder.take(this.$header);
    const { view } = encoder;
    const bits = this.$bits;
    let p = encoder.base + at;
    view.setInt32(p, 1, true);
    view.setInt32(p + 4, bits, true);
    p += 8;
    if ((bits & 1) !== 0) {
      wire.putUint32(view, p, this.id);
      p += 8;
    }
    if ((bits & 2) !== 0) {
      this.$vals.write(encoder, p);
    }
    return at;
  }
}

export interface GetReplyInit {
  readonly id?: number;
  readonly vals?: Iterable<Uint8Array | string>;
}

/** message GetReply: what is received. */
export class GetReplyView extends wire.View {
  $message: wire.Message;
  $at: number;
  $entries: number;
  $bits: number;
  $depth: number;

  /** `at` and `depth` are for objects inside others. */
  constructor(message: wire.Message, at: number = 0, depth: number = 0) {
    super();
    const opened = message.open(at, depth);
    this.$message = opened;
    this.$at = opened.at;
    this.$entries = opened.entries;
    this.$bits = opened.bits;
    this.$depth = opened.depth;
  }

  /** Reads bytes that stay as they are for as long as the view is used. */
  static read(bytes: Uint8Array): GetReplyView {
    return new GetReplyView(wire.Message.of(bytes));
  }

  /** A view of a copy, independent of the receive buffer. */
  copy(): GetReplyView {
    return new GetReplyView(wire.copyOf(this), this.$at, this.$depth);
  }

  get id(): number {
    return (this.$bits & 1) === 0 ? 0 : this.$message.uint32(this.$entries);
  }

  get vals(): wire.BytesListView {
    const p = (this.$bits & 2) === 0 ? 0 : this.$entries + ((this.$bits & 1) << 3);
    return new wire.BytesListView(this.$message, p);
  }
}

/** message PutRequest: what is sent. */
export class PutRequest implements wire.WireObject {
  readonly $encoder: wire.Encoder;
  $bits = 0;
  $header = 0;
  $generation = 0;
  id = 0;
  $keySize = 0;
  $keyPlace = 0;
  $valSize = 0;
  $valPlace = 0;

  constructor(encoder: wire.Encoder = new wire.Encoder()) {
    this.$encoder = encoder;
  }

  static from(init: PutRequestInit, encoder?: wire.Encoder): PutRequest {
    return new PutRequest(encoder).assign(init);
  }

  assign(init: PutRequestInit): this {
    if (init.id !== undefined) this.id = init.id;
    if (init.key !== undefined) this.key = init.key;
    if (init.val !== undefined) this.val = init.val;
    return this;
  }

  get key(): Uint8Array {
    return this.$encoder.peek(this.$keySize, this.$keyPlace);
  }
  set key(value: Uint8Array | string) {
    const encoder = this.$encoder;
    this.$generation = encoder.claim(this.$generation);
    encoder.drop(this.$keySize, this.$keyPlace);
    this.$keySize = 0;
    this.$keyPlace = encoder.stage(value);
    this.$keySize = encoder.size;
  }

  get val(): Uint8Array {
    return this.$encoder.peek(this.$valSize, this.$valPlace);
  }
  set val(value: Uint8Array | string) {
    const encoder = this.$encoder;
    this.$generation = encoder.claim(this.$generation);
    encoder.drop(this.$valSize, this.$valPlace);
    this.$valSize = 0;
    this.$valPlace = encoder.stage(value);
    this.$valSize = encoder.size;
  }

  /** Begins another message: everything that this encoder holds is given back. */
  reset(): this {
    this.$encoder.reset();
    this.$clear();
    return this;
  }

  $clear(): void {
    this.$generation = 0;
    this.id = 0;
    this.$keySize = 0;
    this.$valSize = 0;
  }

  $measure(depth: number): number {
    this.$encoder.enter(depth, this.$generation);
    let bits = 0;
    let header = 8;
    if (this.id !== 0) {
      bits |= 1;
      header += 8;
    }
    if (this.$keySize > 0) {
      bits |= 2;
      header += 8;
    }
    if (this.$valSize > 0) {
      bits |= 4;
      header += 8;
    }
    this.$bits = bits;
    this.$header = header;
    return header;
  }

  $write(encoder: wire.Encoder): number {
    const at = encoder.take(this.$header);
    const { view } = encoder;
    const bits = this.$bits;
    let p = encoder.base + at;
    view.setInt32(p, 1, true);
    view.setInt32(p + 4, bits, true);
    p += 8;
    if ((bits & 1) !== 0) {
      wire.putUint32(view, p, this.id);
      p += 8;
    }
    if ((bits & 2) !== 0) {
      encoder.putPlace(p, this.$keySize, this.$keyPlace);
      p += 8;
    }
    if ((bits & 4) !== 0) {
      encoder.putPlace(p, this.$valSize, this.$valPlace);
      p += 8;
    }
    return at;
  }
}

export interface PutRequestInit {
  readonly id?: number;
  readonly key?: Uint8Array | string;
  readonly val?: Uint8Array | string;
}

/** message PutRequest: what is received. */
export class PutRequestView extends wire.View {
  $message: wire.Message;
  $at: number;
  $entries: number;
  $bits: number;
  $depth: number;

  constructor(message: wire.Message, at: number = 0, depth: number = 0) {
    super();
    const opened = message.open(at, depth);
    this.$message = opened;
    this.$at = opened.at;
    this.$entries = opened.entries;
    this.$bits = opened.bits;
    this.$depth = opened.depth;
  }

  static read(bytes: Uint8Array): PutRequestView {
    return new PutRequestView(wire.Message.of(bytes));
  }

  copy(): PutRequestView {
    return new PutRequestView(wire.copyOf(this), this.$at, this.$depth);
  }

  get id(): number {
    return (this.$bits & 1) === 0 ? 0 : this.$message.uint32(this.$entries);
  }

  get key(): Uint8Array {
    return (this.$bits & 2) === 0
      ? wire.NO_BYTES
      : this.$message.bytesAt(this.$entries + wire.popcount(this.$bits & 1) * 8);
  }
  locateKey(): wire.ByteRange | undefined {
    return (this.$bits & 2) === 0
      ? undefined
      : this.$message.locate(this.$entries + wire.popcount(this.$bits & 1) * 8);
  }

  get val(): Uint8Array {
    return (this.$bits & 4) === 0
      ? wire.NO_BYTES
      : this.$message.bytesAt(this.$entries + wire.popcount(this.$bits & 3) * 8);
  }
  locateVal(): wire.ByteRange | undefined {
    return (this.$bits & 4) === 0
      ? undefined
      : this.$message.locate(this.$entries + wire.popcount(this.$bits & 3) * 8);
  }
}

/** message PutReply: what is sent. */
export class PutReply implements wire.WireObject {
  readonly $encoder: wire.Encoder;
  $bits = 0;
  $header = 0;
  id = 0;

  constructor(encoder: wire.Encoder = new wire.Encoder()) {
    this.$encoder = encoder;
  }

  static from(init: PutReplyInit, encoder?: wire.Encoder): PutReply {
    return new PutReply(encoder).assign(init);
  }

  assign(init: PutReplyInit): this {
    if (init.id !== undefined) this.id = init.id;
    return this;
  }

  /** Begins another message: everything that this encoder holds is given back. */
  reset(): this {
    this.$encoder.reset();
    this.$clear();
    return this;
  }

  $clear(): void {
    this.id = 0;
  }

  $measure(depth: number): number {
    this.$encoder.enter(depth, 0);
    let bits = 0;
    let header = 8;
    if (this.id !== 0) {
      bits |= 1;
      header += 8;
    }
    this.$bits = bits;
    this.$header = header;
    return header;
  }

  $write(encoder: wire.Encoder): number {
    const at = encoder.take(this.$header);
    const { view } = encoder;
    const bits = this.$bits;
    let p = encoder.base + at;
    view.setInt32(p, 1, true);
    view.setInt32(p + 4, bits, true);
    p += 8;
    if ((bits & 1) !== 0) {
      wire.putUint32(view, p, this.id);
      p += 8;
    }
    return at;
  }
}

export interface PutReplyInit {
  readonly id?: number;
}

/** message PutReply: what is received. */
export class PutReplyView extends wire.View {
  $message: wire.Message;
  $at: number;
  $entries: number;
  $bits: number;
  $depth: number;

  constructor(message: wire.Message, at: number = 0, depth: number = 0) {
    super();
    const opened = message.open(at, depth);
    this.$message = opened;
    this.$at = opened.at;
    this.$entries = opened.entries;
    this.$bits = opened.bits;
    this.$depth = opened.depth;
  }

  static read(bytes: Uint8Array): PutReplyView {
    return new PutReplyView(wire.Message.of(bytes));
  }

  copy(): PutReplyView {
    return new PutReplyView(wire.copyOf(this), this.$at, this.$depth);
  }

  get id(): number {
    return (this.$bits & 1) === 0 ? 0 : this.$message.uint32(this.$entries);
  }
}

/** What the compiler makes of kitchen-sink.proto, by hand: one field of every kind. */
import * as wire from '../index.ts';

export const Color = {
  COLOR_UNSPECIFIED: 0,
  COLOR_RED: 1,
  COLOR_NEGATIVE: -1,
} as const;
/** Open, as proto3's enums are: a newer schema's numbers come through. */
export type Color = (typeof Color)[keyof typeof Color] | (number & {});

export interface InnerInit {
  readonly name?: string | Uint8Array;
  readonly child?: InnerInit | Inner | InnerView;
}

export class Inner implements wire.WireObject {
  readonly $encoder: wire.Encoder;
  $bits = 0;
  $header = 0;
  $generation = 0;
  $nameSize = 0;
  $namePlace = 0;
  $child: wire.WireObject | undefined = undefined;

  constructor(encoder: wire.Encoder = new wire.Encoder()) {
    this.$encoder = encoder;
  }

  static from(init: InnerInit, encoder?: wire.Encoder): Inner {
    return new Inner(encoder).assign(init);
  }

  assign(init: InnerInit): this {
    if (init.name !== undefined) this.name = init.name;
    if (init.child !== undefined) this.child = init.child;
    return this;
  }

  get name(): string {
    return wire.peekText(this.$encoder, this.$nameSize, this.$namePlace);
  }
  set name(value: string | Uint8Array) {
    const encoder = this.$encoder;
    this.$generation = encoder.claim(this.$generation);
    encoder.drop(this.$nameSize, this.$namePlace);
    this.$nameSize = 0;
    this.$namePlace = encoder.stage(value);
    this.$nameSize = encoder.size;
  }

  get child(): Inner | undefined {
    return this.$child instanceof Inner ? this.$child : undefined;
  }
  set child(value: Inner | InnerView | InnerInit | undefined) {
    this.$child =
      value === undefined
        ? undefined
        : value instanceof Inner || value instanceof InnerView
          ? wire.adopt(this.$encoder, value)
          : Inner.from(value, this.$encoder);
  }
  /** Sets the field to an empty message and returns it. */
  initChild(): Inner {
    const value = new Inner(this.$encoder);
    this.$child = value;
    return value;
  }

  reset(): this {
    this.$encoder.reset();
    this.$clear();
    return this;
  }

  $clear(): void {
    this.$generation = 0;
    this.$nameSize = 0;
    this.$child = undefined;
  }

  $measure(depth: number): number {
    this.$encoder.enter(depth, this.$generation);
    let bits = 0;
    let header = 8;
    let more = 0;
    if (this.$nameSize > 0) {
      bits |= 1;
      header += 8;
    }
    if (this.$child !== undefined) {
      bits |= 2;
      header += 8;
      more += this.$child.$measure(depth + 1);
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
      encoder.putPlace(p, this.$nameSize, this.$namePlace);
      p += 8;
    }
    if ((bits & 2) !== 0) {
      wire.putObject(view, p, this.$child!.$write(encoder));
    }
    return at;
  }
}

export class InnerView extends wire.View {
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

  static read(bytes: Uint8Array): InnerView {
    return new InnerView(wire.Message.of(bytes));
  }

  copy(): InnerView {
    return new InnerView(wire.copyOf(this), this.$at, this.$depth);
  }

  get name(): string {
    return (this.$bits & 1) === 0 ? '' : this.$message.string(this.$entries);
  }
  /** Where the bytes of `name` lie, without making a string; undefined when the field is absent. */
  locateName(): wire.ByteRange | undefined {
    return (this.$bits & 1) === 0 ? undefined : this.$message.locate(this.$entries);
  }

  get child(): InnerView | undefined {
    if ((this.$bits & 2) === 0) return undefined;
    const p = this.$entries + wire.popcount(this.$bits & 1) * 8;
    return new InnerView(this.$message, this.$message.object(p), this.$depth + 1);
  }
}

export interface KitchenSinkInit {
  readonly flag?: boolean;
  readonly int?: number;
  readonly uint?: number;
  readonly long?: bigint;
  readonly ulong?: bigint;
  readonly smallLong?: number;
  readonly single?: number;
  readonly number?: number;
  readonly text?: string | Uint8Array;
  readonly data?: Uint8Array | string;
  readonly color?: Color;
  readonly inner?: InnerInit | Inner | InnerView;
  readonly maybeInt?: number;
  readonly maybeText?: string | Uint8Array;
  readonly choiceText?: string | Uint8Array;
  readonly choiceNumber?: number;
  readonly choiceInner?: InnerInit | Inner | InnerView;
  readonly texts?: Iterable<string | Uint8Array>;
  readonly blobs?: Iterable<Uint8Array | string>;
  readonly inners?: Iterable<InnerInit | Inner | InnerView>;
  readonly ints?: ArrayLike<number>;
  readonly doubles?: ArrayLike<number>;
  readonly ulongs?: ArrayLike<bigint>;
  readonly flags?: ArrayLike<boolean>;
  readonly counts?: Iterable<readonly [string, number]>;
  readonly chunks?: Iterable<readonly [number, Uint8Array]>;
  readonly people?: Iterable<readonly [string, InnerInit | Inner | InnerView]>;
  readonly farText?: string | Uint8Array;
  readonly farNumber?: number;
}

export class KitchenSink implements wire.WireObject {
  readonly $encoder: wire.Encoder;
  /** Words of the bitmap that have known fields. */
  $bits0 = 0;
  $bits1 = 0;
  $bits6 = 0;
  $words = 1;
  $header = 0;
  $generation = 0;
  flag = false;
  int = 0;
  uint = 0;
  long = 0n;
  ulong = 0n;
  smallLong = 0;
  single = 0;
  number = 0;
  $textSize = 0;
  $textPlace = 0;
  $dataSize = 0;
  $dataPlace = 0;
  color: Color = 0;
  $inner: wire.WireObject | undefined = undefined;
  maybeInt: number | undefined = undefined;
  /** -1: absent. */
  $maybeTextSize = -1;
  $maybeTextPlace = 0;
  /** Number of the field of `choice` that is set. */
  $choice = 0;
  $choiceTextSize = 0;
  $choiceTextPlace = 0;
  $choiceNumber = 0;
  $choiceInner: wire.WireObject | undefined = undefined;
  readonly $texts: wire.BytesListBuilder<string>;
  readonly $blobs: wire.BytesListBuilder<Uint8Array>;
  readonly $inners: wire.MessageListBuilder<Inner>;
  $intsCount = 0;
  $intsPlace = 0;
  $doublesCount = 0;
  $doublesPlace = 0;
  $ulongsCount = 0;
  $ulongsPlace = 0;
  $flagsCount = 0;
  $flagsPlace = 0;
  readonly $counts: wire.MapBuilder<string, number>;
  readonly $chunks: wire.MapBuilder<number, Uint8Array>;
  readonly $people: wire.MessageMapBuilder<string, Inner>;
  $farTextSize = 0;
  $farTextPlace = 0;
  farNumber = 0;

  constructor(encoder: wire.Encoder = new wire.Encoder()) {
    this.$encoder = encoder;
    this.$texts = new wire.BytesListBuilder(encoder);
    this.$blobs = new wire.BytesListBuilder(encoder);
    this.$inners = new wire.MessageListBuilder(encoder, newInner);
    this.$counts = new wire.MapBuilder(encoder, wire.stringCodec, wire.uint32Codec);
    this.$chunks = new wire.MapBuilder(encoder, wire.int32Codec, wire.bytesCodec);
    this.$people = new wire.MessageMapBuilder(encoder, wire.stringCodec, newInner);
  }

  static from(init: KitchenSinkInit, encoder?: wire.Encoder): KitchenSink {
    return new KitchenSink(encoder).assign(init);
  }

  assign(init: KitchenSinkInit): this {
    if (init.flag !== undefined) this.flag = init.flag;
    if (init.int !== undefined) this.int = init.int;
    if (init.uint !== undefined) this.uint = init.uint;
    if (init.long !== undefined) this.long = init.long;
    if (init.ulong !== undefined) this.ulong = init.ulong;
    if (init.smallLong !== undefined) this.smallLong = init.smallLong;
    if (init.single !== undefined) this.single = init.single;
    if (init.number !== undefined) this.number = init.number;
    if (init.text !== undefined) this.text = init.text;
    if (init.data !== undefined) this.data = init.data;
    if (init.color !== undefined) this.color = init.color;
    if (init.inner !== undefined) this.inner = init.inner;
    if (init.maybeInt !== undefined) this.maybeInt = init.maybeInt;
    if (init.maybeText !== undefined) this.maybeText = init.maybeText;
    if (init.choiceText !== undefined) this.choiceText = init.choiceText;
    if (init.choiceNumber !== undefined) this.choiceNumber = init.choiceNumber;
    if (init.choiceInner !== undefined) this.choiceInner = init.choiceInner;
    if (init.texts !== undefined) this.texts = init.texts;
    if (init.blobs !== undefined) this.blobs = init.blobs;
    if (init.inners !== undefined) this.inners = init.inners;
    if (init.ints !== undefined) this.ints = init.ints;
    if (init.doubles !== undefined) this.doubles = init.doubles;
    if (init.ulongs !== undefined) this.ulongs = init.ulongs;
    if (init.flags !== undefined) this.flags = init.flags;
    if (init.counts !== undefined) this.counts = init.counts;
    if (init.chunks !== undefined) this.chunks = init.chunks;
    if (init.people !== undefined) this.people = init.people;
    if (init.farText !== undefined) this.farText = init.farText;
    if (init.farNumber !== undefined) this.farNumber = init.farNumber;
    return this;
  }

  get text(): string {
    return wire.peekText(this.$encoder, this.$textSize, this.$textPlace);
  }
  set text(value: string | Uint8Array) {
    const encoder = this.$encoder;
    this.$generation = encoder.claim(this.$generation);
    encoder.drop(this.$textSize, this.$textPlace);
    this.$textSize = 0;
    this.$textPlace = encoder.stage(value);
    this.$textSize = encoder.size;
  }
  /** Sets the field to bytes of the arena. */
  setTextAt(offset: number, bytes: number): void {
    const encoder = this.$encoder;
    this.$generation = encoder.claim(this.$generation);
    encoder.drop(this.$textSize, this.$textPlace);
    this.$textSize = 0;
    this.$textPlace = encoder.stageAt(offset, bytes);
    this.$textSize = bytes;
  }
  /** Sets the field to bytes of the arena by a reference that the caller has counted for this. */
  setTextReference(offset: number, bytes: number, owner: number): void {
    const encoder = this.$encoder;
    this.$generation = encoder.claim(this.$generation);
    encoder.drop(this.$textSize, this.$textPlace);
    this.$textSize = 0;
    this.$textPlace = encoder.stageReference(offset, bytes, owner);
    this.$textSize = bytes;
  }

  get data(): Uint8Array {
    return this.$encoder.peek(this.$dataSize, this.$dataPlace);
  }
  set data(value: Uint8Array | string) {
    const encoder = this.$encoder;
    this.$generation = encoder.claim(this.$generation);
    encoder.drop(this.$dataSize, this.$dataPlace);
    this.$dataSize = 0;
    this.$dataPlace = encoder.stage(value);
    this.$dataSize = encoder.size;
  }
  /** Sets the field to bytes of the arena. */
  setDataAt(offset: number, bytes: number): void {
    const encoder = this.$encoder;
    this.$generation = encoder.claim(this.$generation);
    encoder.drop(this.$dataSize, this.$dataPlace);
    this.$dataSize = 0;
    this.$dataPlace = encoder.stageAt(offset, bytes);
    this.$dataSize = bytes;
  }
  /** Sets the field to bytes of the arena by a reference that the caller has counted for this. */
  setDataReference(offset: number, bytes: number, owner: number): void {
    const encoder = this.$encoder;
    this.$generation = encoder.claim(this.$generation);
    encoder.drop(this.$dataSize, this.$dataPlace);
    this.$dataSize = 0;
    this.$dataPlace = encoder.stageReference(offset, bytes, owner);
    this.$dataSize = bytes;
  }

  get inner(): Inner | undefined {
    return this.$inner instanceof Inner ? this.$inner : undefined;
  }
  set inner(value: Inner | InnerView | InnerInit | undefined) {
    this.$inner = value === undefined ? undefined : toInner(this.$encoder, value);
  }
  /** Sets the field to an empty message and returns it. */
  initInner(): Inner {
    const value = new Inner(this.$encoder);
    this.$inner = value;
    return value;
  }

  get maybeText(): string | undefined {
    return this.$maybeTextSize < 0
      ? undefined
      : wire.peekText(this.$encoder, this.$maybeTextSize, this.$maybeTextPlace);
  }
  set maybeText(value: string | Uint8Array | undefined) {
    const encoder = this.$encoder;
    this.$generation = encoder.claim(this.$generation);
    encoder.drop(this.$maybeTextSize, this.$maybeTextPlace);
    this.$maybeTextSize = -1;
    if (value === undefined) return;
    this.$maybeTextPlace = encoder.stage(value);
    this.$maybeTextSize = encoder.size;
  }
  /** Sets the field to bytes of the arena. */
  setMaybeTextAt(offset: number, bytes: number): void {
    const encoder = this.$encoder;
    this.$generation = encoder.claim(this.$generation);
    encoder.drop(this.$maybeTextSize, this.$maybeTextPlace);
    this.$maybeTextSize = -1;
    this.$maybeTextPlace = encoder.stageAt(offset, bytes);
    this.$maybeTextSize = bytes;
  }
  /** Sets the field to bytes of the arena by a reference that the caller has counted for this. */
  setMaybeTextReference(offset: number, bytes: number, owner: number): void {
    const encoder = this.$encoder;
    this.$generation = encoder.claim(this.$generation);
    encoder.drop(this.$maybeTextSize, this.$maybeTextPlace);
    this.$maybeTextSize = -1;
    this.$maybeTextPlace = encoder.stageReference(offset, bytes, owner);
    this.$maybeTextSize = bytes;
  }

  /** Which field of `choice` is set. */
  get choiceCase(): 'choiceText' | 'choiceNumber' | 'choiceInner' | undefined {
    switch (this.$choice) {
      case 15:
        return 'choiceText';
      case 16:
        return 'choiceNumber';
      case 17:
        return 'choiceInner';
      default:
        return undefined;
    }
  }
  /** Empties `choice`. */
  clearChoice(): void {
    if (this.$choice === 15) this.$encoder.drop(this.$choiceTextSize, this.$choiceTextPlace);
    this.$choice = 0;
    this.$choiceTextSize = 0;
    this.$choiceInner = undefined;
  }

  get choiceText(): string | undefined {
    if (this.$choice !== 15) return undefined;
    return wire.peekText(this.$encoder, this.$choiceTextSize, this.$choiceTextPlace);
  }
  set choiceText(value: string | Uint8Array | undefined) {
    const encoder = this.$encoder;
    this.$generation = encoder.claim(this.$generation);
    if (value === undefined && this.$choice !== 15) return;
    this.clearChoice();
    if (value === undefined) return;
    this.$choiceTextPlace = encoder.stage(value);
    this.$choiceTextSize = encoder.size;
    this.$choice = 15;
  }

  get choiceNumber(): number | undefined {
    return this.$choice === 16 ? this.$choiceNumber : undefined;
  }
  set choiceNumber(value: number | undefined) {
    if (value === undefined && this.$choice !== 16) return;
    this.clearChoice();
    if (value === undefined) return;
    this.$choiceNumber = value;
    this.$choice = 16;
  }

  get choiceInner(): Inner | undefined {
    return this.$choice === 17 && this.$choiceInner instanceof Inner ? this.$choiceInner : undefined;
  }
  set choiceInner(value: Inner | InnerView | InnerInit | undefined) {
    if (value === undefined && this.$choice !== 17) return;
    this.clearChoice();
    if (value === undefined) return;
    this.$choiceInner = toInner(this.$encoder, value);
    this.$choice = 17;
  }

  get texts(): wire.BytesListBuilder<string> {
    return this.$texts;
  }
  set texts(values: Iterable<string | Uint8Array>) {
    this.$texts.drop();
    this.$texts.appendAll(values);
  }

  get blobs(): wire.BytesListBuilder<Uint8Array> {
    return this.$blobs;
  }
  set blobs(values: Iterable<Uint8Array | string>) {
    this.$blobs.drop();
    this.$blobs.appendAll(values);
  }

  get inners(): wire.MessageListBuilder<Inner> {
    return this.$inners;
  }
  set inners(values: Iterable<Inner | InnerView | InnerInit>) {
    this.$inners.drop();
    for (const value of values) this.$inners.push(toInner(this.$encoder, value));
  }

  get ints(): Int32Array {
    return wire.peekPacked(this.$encoder, 'int32', this.$intsCount, this.$intsPlace);
  }
  set ints(values: ArrayLike<number>) {
    const encoder = this.$encoder;
    this.$generation = encoder.claim(this.$generation);
    wire.dropPacked(encoder, 'int32', this.$intsCount, this.$intsPlace);
    this.$intsCount = 0;
    this.$intsPlace = wire.stagePacked(encoder, 'int32', values);
    this.$intsCount = encoder.size;
  }

  get doubles(): Float64Array {
    return wire.peekPacked(this.$encoder, 'double', this.$doublesCount, this.$doublesPlace);
  }
  set doubles(values: ArrayLike<number>) {
    const encoder = this.$encoder;
    this.$generation = encoder.claim(this.$generation);
    wire.dropPacked(encoder, 'double', this.$doublesCount, this.$doublesPlace);
    this.$doublesCount = 0;
    this.$doublesPlace = wire.stagePacked(encoder, 'double', values);
    this.$doublesCount = encoder.size;
  }

  get ulongs(): BigUint64Array {
    return wire.peekPacked(this.$encoder, 'uint64', this.$ulongsCount, this.$ulongsPlace);
  }
  set ulongs(values: ArrayLike<bigint>) {
    const encoder = this.$encoder;
    this.$generation = encoder.claim(this.$generation);
    wire.dropPacked(encoder, 'uint64', this.$ulongsCount, this.$ulongsPlace);
    this.$ulongsCount = 0;
    this.$ulongsPlace = wire.stagePacked(encoder, 'uint64', values);
    this.$ulongsCount = encoder.size;
  }

  get flags(): boolean[] {
    return wire.peekPacked(this.$encoder, 'bool', this.$flagsCount, this.$flagsPlace);
  }
  set flags(values: ArrayLike<boolean>) {
    const encoder = this.$encoder;
    this.$generation = encoder.claim(this.$generation);
    wire.dropPacked(encoder, 'bool', this.$flagsCount, this.$flagsPlace);
    this.$flagsCount = 0;
    this.$flagsPlace = wire.stagePacked(encoder, 'bool', values);
    this.$flagsCount = encoder.size;
  }

  get counts(): wire.MapBuilder<string, number> {
    return this.$counts;
  }
  set counts(entries: Iterable<readonly [string, number]>) {
    this.$counts.drop();
    this.$counts.setAll(entries);
  }

  get chunks(): wire.MapBuilder<number, Uint8Array> {
    return this.$chunks;
  }
  set chunks(entries: Iterable<readonly [number, Uint8Array]>) {
    this.$chunks.drop();
    this.$chunks.setAll(entries);
  }

  get people(): wire.MessageMapBuilder<string, Inner> {
    return this.$people;
  }
  set people(entries: Iterable<readonly [string, Inner | InnerView | InnerInit]>) {
    this.$people.drop();
    for (const [key, value] of entries) this.$people.put(key, toInner(this.$encoder, value));
  }

  get farText(): string {
    return wire.peekText(this.$encoder, this.$farTextSize, this.$farTextPlace);
  }
  set farText(value: string | Uint8Array) {
    const encoder = this.$encoder;
    this.$generation = encoder.claim(this.$generation);
    encoder.drop(this.$farTextSize, this.$farTextPlace);
    this.$farTextSize = 0;
    this.$farTextPlace = encoder.stage(value);
    this.$farTextSize = encoder.size;
  }
  /** Sets the field to bytes of the arena. */
  setFarTextAt(offset: number, bytes: number): void {
    const encoder = this.$encoder;
    this.$generation = encoder.claim(this.$generation);
    encoder.drop(this.$farTextSize, this.$farTextPlace);
    this.$farTextSize = 0;
    this.$farTextPlace = encoder.stageAt(offset, bytes);
    this.$farTextSize = bytes;
  }
  /** Sets the field to bytes of the arena by a reference that the caller has counted for this. */
  setFarTextReference(offset: number, bytes: number, owner: number): void {
    const encoder = this.$encoder;
    this.$generation = encoder.claim(this.$generation);
    encoder.drop(this.$farTextSize, this.$farTextPlace);
    this.$farTextSize = 0;
    this.$farTextPlace = encoder.stageReference(offset, bytes, owner);
    this.$farTextSize = bytes;
  }

  /** Begins another message: everything that this encoder holds is given back. */
  reset(): this {
    this.$encoder.reset();
    this.$clear();
    return this;
  }

  $clear(): void {
    this.$generation = 0;
    this.flag = false;
    this.int = 0;
    this.uint = 0;
    this.long = 0n;
    this.ulong = 0n;
    this.smallLong = 0;
    this.single = 0;
    this.number = 0;
    this.$textSize = 0;
    this.$dataSize = 0;
    this.color = 0;
    this.$inner = undefined;
    this.maybeInt = undefined;
    this.$maybeTextSize = -1;
    this.$choice = 0;
    this.$choiceTextSize = 0;
    this.$choiceInner = undefined;
    this.$texts.clear();
    this.$blobs.clear();
    this.$inners.clear();
    this.$intsCount = 0;
    this.$doublesCount = 0;
    this.$ulongsCount = 0;
    this.$flagsCount = 0;
    this.$counts.clear();
    this.$chunks.clear();
    this.$people.clear();
    this.$farTextSize = 0;
    this.farNumber = 0;
  }

  $measure(depth: number): number {
    this.$encoder.enter(depth, this.$generation);
    let bits0 = 0;
    let bits1 = 0;
    let bits6 = 0;
    let more = 0;
    if (this.flag) bits0 |= 0x1;
    if (this.int !== 0) bits0 |= 0x2;
    if (this.uint !== 0) bits0 |= 0x4;
    if (this.long !== 0n) bits0 |= 0x8;
    if (this.ulong !== 0n) bits0 |= 0x10;
    if (this.smallLong !== 0) bits0 |= 0x20;
    if (!Object.is(this.single, 0)) bits0 |= 0x40;
    if (!Object.is(this.number, 0)) bits0 |= 0x80;
    if (this.$textSize > 0) bits0 |= 0x100;
    if (this.$dataSize > 0) bits0 |= 0x200;
    if (this.color !== 0) bits0 |= 0x400;
    if (this.$inner !== undefined) {
      bits0 |= 0x800;
      more += this.$inner.$measure(depth + 1);
    }
    if (this.maybeInt !== undefined) bits0 |= 0x1000;
    if (this.$maybeTextSize >= 0) bits0 |= 0x2000;
    if (this.$choice === 15) bits0 |= 0x4000;
    if (this.$choice === 16) bits0 |= 0x8000;
    if (this.$choice === 17) {
      bits0 |= 0x10000;
      more += this.$choiceInner!.$measure(depth + 1);
    }
    if (this.$texts.length !== 0) {
      bits0 |= 0x20000;
      more += this.$texts.measure();
    }
    if (this.$blobs.length !== 0) {
      bits0 |= 0x40000;
      more += this.$blobs.measure();
    }
    if (this.$inners.length !== 0) {
      bits0 |= 0x80000;
      const { items } = this.$inners;
      more += items.length * 8;
      for (let index = 0; index < items.length; index++) more += items[index]!.$measure(depth + 1);
    }
    if (this.$intsCount !== 0) bits0 |= 0x100000;
    if (this.$doublesCount !== 0) bits0 |= 0x200000;
    if (this.$ulongsCount !== 0) bits0 |= 0x400000;
    if (this.$flagsCount !== 0) bits0 |= 0x800000;
    if (this.$counts.size !== 0) {
      bits0 |= 0x1000000;
      more += this.$counts.measure();
    }
    if (this.$chunks.size !== 0) {
      bits0 |= 0x2000000;
      more += this.$chunks.measure();
    }
    if (this.$people.size !== 0) {
      bits0 |= 0x4000000;
      const { items } = this.$people;
      more += this.$people.measure();
      for (let index = 0; index < items.length; index++) more += items[index]!.$measure(depth + 1);
    }
    if (this.$farTextSize > 0) bits1 |= 0x80;
    if (this.farNumber !== 0) bits6 |= 0x80;
    const fields = wire.popcount(bits0) + wire.popcount(bits1) + wire.popcount(bits6);
    // As many words as are needed, and an odd number of them, so that the entries are aligned.
    const words = bits6 !== 0 ? 7 : bits1 !== 0 ? 3 : 1;
    this.$bits0 = bits0;
    this.$bits1 = bits1;
    this.$bits6 = bits6;
    this.$words = words;
    this.$header = 4 + words * 4 + fields * 8;
    return this.$header + more;
  }

  $write(encoder: wire.Encoder): number {
    const at = encoder.take(this.$header);
    const { view } = encoder;
    const start = encoder.base + at;
    const bits0 = this.$bits0;
    const words = this.$words;
    wire.putBitmap(view, start, words);
    view.setInt32(start + 4, bits0, true);
    if (words > 1) view.setInt32(start + 8, this.$bits1, true);
    if (words > 3) view.setInt32(start + 28, this.$bits6, true);
    let p = start + 4 + words * 4;
    if ((bits0 & 0x1) !== 0) {
      wire.putBool(view, p, this.flag);
      p += 8;
    }
    if ((bits0 & 0x2) !== 0) {
      wire.putInt32(view, p, this.int);
      p += 8;
    }
    if ((bits0 & 0x4) !== 0) {
      wire.putUint32(view, p, this.uint);
      p += 8;
    }
    if ((bits0 & 0x8) !== 0) {
      wire.putInt64(view, p, this.long);
      p += 8;
    }
    if ((bits0 & 0x10) !== 0) {
      wire.putUint64(view, p, this.ulong);
      p += 8;
    }
    if ((bits0 & 0x20) !== 0) {
      wire.putInt64Number(view, p, this.smallLong);
      p += 8;
    }
    if ((bits0 & 0x40) !== 0) {
      wire.putFloat(view, p, this.single);
      p += 8;
    }
    if ((bits0 & 0x80) !== 0) {
      wire.putDouble(view, p, this.number);
      p += 8;
    }
    if ((bits0 & 0x100) !== 0) {
      encoder.putPlace(p, this.$textSize, this.$textPlace);
      p += 8;
    }
    if ((bits0 & 0x200) !== 0) {
      encoder.putPlace(p, this.$dataSize, this.$dataPlace);
      p += 8;
    }
    if ((bits0 & 0x400) !== 0) {
      wire.putInt32(view, p, this.color);
      p += 8;
    }
    if ((bits0 & 0x800) !== 0) {
      wire.putObject(view, p, this.$inner!.$write(encoder));
      p += 8;
    }
    if ((bits0 & 0x1000) !== 0) {
      wire.putInt32(view, p, this.maybeInt!);
      p += 8;
    }
    if ((bits0 & 0x2000) !== 0) {
      encoder.putPlace(p, this.$maybeTextSize, this.$maybeTextPlace);
      p += 8;
    }
    if ((bits0 & 0x4000) !== 0) {
      encoder.putPlace(p, this.$choiceTextSize, this.$choiceTextPlace);
      p += 8;
    }
    if ((bits0 & 0x8000) !== 0) {
      wire.putUint32(view, p, this.$choiceNumber);
      p += 8;
    }
    if ((bits0 & 0x10000) !== 0) {
      wire.putObject(view, p, this.$choiceInner!.$write(encoder));
      p += 8;
    }
    if ((bits0 & 0x20000) !== 0) {
      this.$texts.write(encoder, p);
      p += 8;
    }
    if ((bits0 & 0x40000) !== 0) {
      this.$blobs.write(encoder, p);
      p += 8;
    }
    if ((bits0 & 0x80000) !== 0) {
      const { items } = this.$inners;
      let entry = this.$inners.write(encoder, p);
      for (let index = 0; index < items.length; index++, entry += 8) {
        wire.putObject(view, entry, items[index]!.$write(encoder));
      }
      p += 8;
    }
    if ((bits0 & 0x100000) !== 0) {
      encoder.putPlace(p, this.$intsCount, this.$intsPlace);
      p += 8;
    }
    if ((bits0 & 0x200000) !== 0) {
      encoder.putPlace(p, this.$doublesCount, this.$doublesPlace);
      p += 8;
    }
    if ((bits0 & 0x400000) !== 0) {
      encoder.putPlace(p, this.$ulongsCount, this.$ulongsPlace);
      p += 8;
    }
    if ((bits0 & 0x800000) !== 0) {
      encoder.putPlace(p, this.$flagsCount, this.$flagsPlace);
      p += 8;
    }
    if ((bits0 & 0x1000000) !== 0) {
      this.$counts.write(encoder, p);
      p += 8;
    }
    if ((bits0 & 0x2000000) !== 0) {
      this.$chunks.write(encoder, p);
      p += 8;
    }
    if ((bits0 & 0x4000000) !== 0) {
      const { items } = this.$people;
      let entry = this.$people.write(encoder, p);
      for (let index = 0; index < items.length; index++, entry += 16) {
        wire.putObject(view, entry, items[index]!.$write(encoder));
      }
      p += 8;
    }
    if ((this.$bits1 & 0x80) !== 0) {
      encoder.putPlace(p, this.$farTextSize, this.$farTextPlace);
      p += 8;
    }
    if ((this.$bits6 & 0x80) !== 0) {
      wire.putUint32(view, p, this.farNumber);
      p += 8;
    }
    return at;
  }
}

function newInner(encoder: wire.Encoder): Inner {
  return new Inner(encoder);
}

function toInner(encoder: wire.Encoder, value: Inner | InnerView | InnerInit): wire.WireObject {
  if (value instanceof Inner || value instanceof InnerView) return wire.adopt(encoder, value);
  return Inner.from(value, encoder);
}

export class KitchenSinkView extends wire.View {
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

  static read(bytes: Uint8Array): KitchenSinkView {
    return new KitchenSinkView(wire.Message.of(bytes));
  }

  copy(): KitchenSinkView {
    return new KitchenSinkView(wire.copyOf(this), this.$at, this.$depth);
  }

  get flag(): boolean {
    return (this.$bits & 0x1) === 0 ? false : this.$message.bool(this.$entries);
  }

  get int(): number {
    return (this.$bits & 0x2) === 0
      ? 0
      : this.$message.int32(this.$entries + wire.popcount(this.$bits & 0x1) * 8);
  }

  get uint(): number {
    return (this.$bits & 0x4) === 0
      ? 0
      : this.$message.uint32(this.$entries + wire.popcount(this.$bits & 0x3) * 8);
  }

  get long(): bigint {
    return (this.$bits & 0x8) === 0
      ? 0n
      : this.$message.int64(this.$entries + wire.popcount(this.$bits & 0x7) * 8);
  }

  get ulong(): bigint {
    return (this.$bits & 0x10) === 0
      ? 0n
      : this.$message.uint64(this.$entries + wire.popcount(this.$bits & 0xf) * 8);
  }

  get smallLong(): number {
    return (this.$bits & 0x20) === 0
      ? 0
      : this.$message.int64Number(this.$entries + wire.popcount(this.$bits & 0x1f) * 8);
  }

  get single(): number {
    return (this.$bits & 0x40) === 0
      ? 0
      : this.$message.float(this.$entries + wire.popcount(this.$bits & 0x3f) * 8);
  }

  get number(): number {
    return (this.$bits & 0x80) === 0
      ? 0
      : this.$message.double(this.$entries + wire.popcount(this.$bits & 0x7f) * 8);
  }

  get text(): string {
    return (this.$bits & 0x100) === 0
      ? ''
      : this.$message.string(this.$entries + wire.popcount(this.$bits & 0xff) * 8);
  }
  locateText(): wire.ByteRange | undefined {
    return (this.$bits & 0x100) === 0
      ? undefined
      : this.$message.locate(this.$entries + wire.popcount(this.$bits & 0xff) * 8);
  }

  get data(): Uint8Array {
    return (this.$bits & 0x200) === 0
      ? wire.NO_BYTES
      : this.$message.bytesAt(this.$entries + wire.popcount(this.$bits & 0x1ff) * 8);
  }
  locateData(): wire.ByteRange | undefined {
    return (this.$bits & 0x200) === 0
      ? undefined
      : this.$message.locate(this.$entries + wire.popcount(this.$bits & 0x1ff) * 8);
  }

  get color(): Color {
    return (this.$bits & 0x400) === 0
      ? 0
      : this.$message.int32(this.$entries + wire.popcount(this.$bits & 0x3ff) * 8);
  }

  get inner(): InnerView | undefined {
    if ((this.$bits & 0x800) === 0) return undefined;
    const p = this.$entries + wire.popcount(this.$bits & 0x7ff) * 8;
    return new InnerView(this.$message, this.$message.object(p), this.$depth + 1);
  }

  get maybeInt(): number | undefined {
    return (this.$bits & 0x1000) === 0
      ? undefined
      : this.$message.int32(this.$entries + wire.popcount(this.$bits & 0xfff) * 8);
  }

  get maybeText(): string | undefined {
    return (this.$bits & 0x2000) === 0
      ? undefined
      : this.$message.string(this.$entries + wire.popcount(this.$bits & 0x1fff) * 8);
  }
  locateMaybeText(): wire.ByteRange | undefined {
    return (this.$bits & 0x2000) === 0
      ? undefined
      : this.$message.locate(this.$entries + wire.popcount(this.$bits & 0x1fff) * 8);
  }

  /** Which field of `choice` is set: of several, which no writer sends, the first. */
  get choiceCase(): 'choiceText' | 'choiceNumber' | 'choiceInner' | undefined {
    const bits = this.$bits & 0x1c000;
    switch (bits & -bits) {
      case 0x4000:
        return 'choiceText';
      case 0x8000:
        return 'choiceNumber';
      case 0x10000:
        return 'choiceInner';
      default:
        return undefined;
    }
  }

  get choiceText(): string | undefined {
    if ((this.$bits & 0x4000) !== 0x4000) return undefined;
    return this.$message.string(this.$entries + wire.popcount(this.$bits & 0x3fff) * 8);
  }

  get choiceNumber(): number | undefined {
    if ((this.$bits & 0xc000) !== 0x8000) return undefined;
    return this.$message.uint32(this.$entries + wire.popcount(this.$bits & 0x7fff) * 8);
  }

  get choiceInner(): InnerView | undefined {
    if ((this.$bits & 0x1c000) !== 0x10000) return undefined;
    const p = this.$entries + wire.popcount(this.$bits & 0xffff) * 8;
    return new InnerView(this.$message, this.$message.object(p), this.$depth + 1);
  }

  get texts(): wire.StringListView {
    const p = (this.$bits & 0x20000) === 0 ? 0 : this.$entries + wire.popcount(this.$bits & 0x1ffff) * 8;
    return new wire.StringListView(this.$message, p);
  }

  get blobs(): wire.BytesListView {
    const p = (this.$bits & 0x40000) === 0 ? 0 : this.$entries + wire.popcount(this.$bits & 0x3ffff) * 8;
    return new wire.BytesListView(this.$message, p);
  }

  get inners(): wire.MessageListView<InnerView> {
    const p = (this.$bits & 0x80000) === 0 ? 0 : this.$entries + wire.popcount(this.$bits & 0x7ffff) * 8;
    return new wire.MessageListView(this.$message, p, InnerView, this.$depth + 1);
  }

  get ints(): Int32Array {
    const p = (this.$bits & 0x100000) === 0 ? 0 : this.$entries + wire.popcount(this.$bits & 0xfffff) * 8;
    return wire.readInt32s(this.$message, p);
  }

  get doubles(): Float64Array {
    const p = (this.$bits & 0x200000) === 0 ? 0 : this.$entries + wire.popcount(this.$bits & 0x1fffff) * 8;
    return wire.readDoubles(this.$message, p);
  }

  get ulongs(): BigUint64Array {
    const p = (this.$bits & 0x400000) === 0 ? 0 : this.$entries + wire.popcount(this.$bits & 0x3fffff) * 8;
    return wire.readUint64s(this.$message, p);
  }

  get flags(): boolean[] {
    const p = (this.$bits & 0x800000) === 0 ? 0 : this.$entries + wire.popcount(this.$bits & 0x7fffff) * 8;
    return wire.readBools(this.$message, p);
  }

  get counts(): wire.MapView<string, number> {
    const p = (this.$bits & 0x1000000) === 0 ? 0 : this.$entries + wire.popcount(this.$bits & 0xffffff) * 8;
    return new wire.MapView(this.$message, p, wire.stringCodec, wire.uint32Codec);
  }

  get chunks(): wire.MapView<number, Uint8Array> {
    const p = (this.$bits & 0x2000000) === 0 ? 0 : this.$entries + wire.popcount(this.$bits & 0x1ffffff) * 8;
    return new wire.MapView(this.$message, p, wire.int32Codec, wire.bytesCodec);
  }

  get people(): wire.MapView<string, InnerView> {
    const p = (this.$bits & 0x4000000) === 0 ? 0 : this.$entries + wire.popcount(this.$bits & 0x3ffffff) * 8;
    return new wire.MapView(this.$message, p, wire.stringCodec, wire.viewCodec(InnerView, this.$depth + 1));
  }

  get farText(): string {
    const p = this.$message.slot(this.$at, 39);
    return p === 0 ? '' : this.$message.string(p);
  }
  locateFarText(): wire.ByteRange | undefined {
    const p = this.$message.slot(this.$at, 39);
    return p === 0 ? undefined : this.$message.locate(p);
  }

  get farNumber(): number {
    const p = this.$message.slot(this.$at, 199);
    return p === 0 ? 0 : this.$message.uint32(p);
  }
}

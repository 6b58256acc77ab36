/** What the compiler makes of `message Album { uint32 id = 1; repeated bytes photos = 2; }`, by hand. */
import * as wire from '@larder/wire';

/** message Album: what is sent. */
export class Album implements wire.WireObject {
  readonly $encoder: wire.Encoder;
  $bits = 0;
  $header = 0;
  id = 0;
  readonly $photos: wire.BytesListBuilder<Uint8Array>;

  constructor(encoder: wire.Encoder = new wire.Encoder()) {
    this.$encoder = encoder;
    this.$photos = new wire.BytesListBuilder(encoder);
  }

  static from(init: AlbumInit, encoder?: wire.Encoder): Album {
    return new Album(encoder).assign(init);
  }

  assign(init: AlbumInit): this {
    if (init.id !== undefined) this.id = init.id;
    if (init.photos !== undefined) this.photos = init.photos;
    return this;
  }

  get photos(): wire.BytesListBuilder<Uint8Array> {
    return this.$photos;
  }
  set photos(values: Iterable<Uint8Array | string>) {
    this.$photos.drop();
    this.$photos.appendAll(values);
  }

  /** Begins another message: everything that this encoder holds is given back. */
  reset(): this {
    this.$encoder.reset();
    this.$clear();
    return this;
  }

  $clear(): void {
    this.id = 0;
    this.$photos.clear();
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
    if (this.$photos.length !== 0) {
      bits |= 2;
      header += 8;
      more += this.$photos.measure();
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
      this.$photos.write(encoder, p);
    }
    return at;
  }
}

export interface AlbumInit {
  readonly id?: number;
  readonly photos?: Iterable<Uint8Array | string>;
}

/** message Album: what is received. */
export class AlbumView extends wire.View {
  $message: wire.Message;
  $at: number;
  $entries: number;
  $bits: number;
  $depth: number;

  /** `at` and `depth` are for objects inside others. */
  constructor(message: wire.Message, at: number = 0, depth: number = 0) {
    super();
    const opened = message.open(at, depth, AlbumView);
    this.$message = opened;
    this.$at = opened.at;
    this.$entries = opened.entries;
    this.$bits = opened.bits;
    this.$depth = opened.depth;
  }

  /** Reads bytes that stay as they are for as long as the view is used. */
  static read(bytes: Uint8Array): AlbumView {
    return new AlbumView(wire.Message.of(bytes));
  }

  /** A view of a copy, independent of the receive buffer. */
  copy(): AlbumView {
    const copied = wire.copyOf(this, AlbumView);
    return new AlbumView(copied, copied.at);
  }

  /** What the fields lead to. */
  static $shape(): wire.Shape {
    return [[1, 'list']];
  }

  get id(): number {
    return (this.$bits & 1) === 0 ? 0 : this.$message.uint32(this.$entries);
  }

  get photos(): wire.BytesListView {
    const p = (this.$bits & 2) === 0 ? 0 : this.$entries + ((this.$bits & 1) << 3);
    return new wire.BytesListView(this.$message, p);
  }
}

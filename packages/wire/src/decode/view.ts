/**
 * What all generated views have in common. A view is a place in a message; it owns nothing, and it reads when
 * it is asked. Generated classes have the fields, so that the code that reads them has one shape to deal with;
 * only what is not hot is here.
 */
import type { Message } from './message.ts';

export abstract class View {
  /** Generated: the message, the place of the header and of the first entry, and the bitmap's first word. */
  abstract $message: Message;
  abstract $at: number;
  abstract $entries: number;
  abstract $bits: number;
  abstract $depth: number;

  /** Keeps the message beyond its delivery: see `Message.retain`. */
  retain(): this {
    this.$message.retain();
    return this;
  }

  /** Ends one `retain`; the last lets go of the receive buffer under the message, and ends all its views. */
  release(): void {
    this.$message.release();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

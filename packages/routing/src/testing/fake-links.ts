/** Links to nowhere: a test sees what was written, and says what comes back. */
import type { Address } from '../destination/address.ts';
import type { Link, LinkFactory, LinkHandler, LinkOptions } from '../destination/link.ts';

export class FakeLink implements Link {
  readonly handler: LinkHandler;
  readonly options: LinkOptions;
  readonly address: Address;
  output: Buffer = Buffer.alloc(64 * 1024);
  queuedBytes: number = 0;
  isClosed: boolean = false;
  #written: number = 0;
  #sent: number = 0;

  constructor(address: Address, options: LinkOptions, handler: LinkHandler) {
    this.address = address;
    this.options = options;
    this.handler = handler;
  }

  reserve(bytes: number): number {
    if (this.isClosed) return -1;
    if (this.#written + bytes > this.output.length) {
      this.output = Buffer.concat([this.output, Buffer.alloc(this.output.length + bytes)]);
    }
    return this.#written;
  }

  commit(bytes: number): void {
    this.#written += bytes;
  }

  retract(bytes: number): boolean {
    if (this.#written - bytes < this.#sent) return false;
    this.#written -= bytes;
    return true;
  }

  write(bytes: Buffer, start: number, end: number): void {
    const at = this.reserve(end - start);
    if (at < 0) return;
    bytes.copy(this.output, at, start, end);
    this.commit(end - start);
  }

  writeOwned(bytes: Buffer): void {
    this.write(bytes, 0, bytes.length);
  }

  close(): void {
    this.isClosed = true;
  }

  /** What was written since the last time. */
  sent(): string {
    const text = this.output.toString('latin1', this.#sent, this.#written);
    this.#sent = this.#written;
    return text;
  }

  open(): void {
    this.handler.onOpen();
  }

  /** Bytes arrive in memory that is overwritten afterwards, somewhere in its middle. */
  reply(text: string): void {
    const bytes = Buffer.from(`????${text}`, 'latin1');
    this.handler.onData(bytes, 4, bytes.length, false);
    bytes.fill(0x21);
  }

  end(error?: Error): void {
    this.isClosed = true;
    this.handler.onClose(error);
  }
}

export class FakeLinks implements LinkFactory {
  readonly isOnEventLoop: boolean = true;
  readonly opened: FakeLink[] = [];

  open(address: Address, options: LinkOptions, handler: LinkHandler): FakeLink {
    const link = new FakeLink(address, options, handler);
    this.opened.push(link);
    return link;
  }

  /** The link opened last. */
  get last(): FakeLink {
    const link = this.opened.at(-1);
    if (link === undefined) throw new Error('no link was opened');
    return link;
  }
}

/** Text in a small arena: what parsers are tested on. */
import { Arena } from '@larder/datapath';
import { LineTokens } from '../bytes/tokens.ts';

export const TEXT_AT = 64;

export class ArenaText {
  readonly arena: Arena = Arena.portable(1 << 20);
  readonly tokens: LineTokens = new LineTokens(this.arena);

  /** Puts text (Latin-1) at `at` and returns the offset behind it. */
  put(text: string, at: number = TEXT_AT): number {
    return at + this.arena.node.write(text, at, 'latin1');
  }

  /** Splits a line given without its terminator; returns its newline's offset. */
  line(text: string, at: number = TEXT_AT): number {
    const end = this.put(`${text}\r\n`, at);
    this.tokens.split(at, end - 1);
    return end - 1;
  }

  text(offset: number, bytes: number): string {
    return this.arena.node.toString('latin1', offset, offset + bytes);
  }
}

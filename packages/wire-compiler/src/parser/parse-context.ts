/** What all parts of the parser share: the tokens, the descriptor's source info, and the places. */
import { create } from '@bufbuild/protobuf';
import { type SourceCodeInfo_Location, SourceCodeInfo_LocationSchema } from '@bufbuild/protobuf/wkt';
import type { Comments, Token } from './lexer.ts';
import { Places } from './parsed-file.ts';
import type { TokenStream } from './token-stream.ts';

/** Path of a part inside its file's descriptor: field numbers and indices in turn. */
export type Path = readonly number[];

export class ParseContext {
  readonly tokens: TokenStream;
  readonly places: Places;
  readonly locations: SourceCodeInfo_Location[] = [];

  constructor(tokens: TokenStream) {
    this.tokens = tokens;
    this.places = new Places(tokens.file);
  }

  /** Opens the location of a part; `close` completes it after its last token. */
  open(path: Path, start: Token = this.tokens.current): SourceCodeInfo_Location {
    const location = create(SourceCodeInfo_LocationSchema, {
      path: [...path],
      span: [start.line, start.column],
    });
    this.locations.push(location);
    return location;
  }

  attach(location: SourceCodeInfo_Location, comments: Comments): void {
    if (comments.leading !== '') location.leadingComments = comments.leading;
    if (comments.trailing !== '') location.trailingComments = comments.trailing;
    location.leadingDetachedComments = [...comments.detached];
  }

  close(location: SourceCodeInfo_Location): void {
    const end = this.tokens.previous;
    const [line = 0] = location.span;
    if (end.line === line) location.span.push(end.endColumn);
    else location.span.push(end.line, end.endColumn);
  }
}

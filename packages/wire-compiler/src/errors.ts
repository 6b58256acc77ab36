/**
 * What can be wrong with a schema. One class, a stable code, and the place in the file, so that editors and
 * people can jump to it.
 */

/** Stable codes of `CompilerError`. */
export type CompilerErrorCode =
  /** The text is not a .proto file. */
  | 'SYNTAX'
  /** Valid protobuf that Larder does not have: proto2, editions, groups, extensions. */
  | 'UNSUPPORTED'
  /** A type that is not defined or not imported. */
  | 'UNKNOWN_TYPE'
  /** Two things with one name or one number. */
  | 'DUPLICATE'
  /** A number out of its range or reserved, or a name that is reserved. */
  | 'RESERVED'
  /** An import that cannot be read, or that imports itself. */
  | 'IMPORT'
  /** An option that does not exist or has a value of the wrong kind. */
  | 'OPTION'
  /** A rule of the language about how parts go together. */
  | 'INVALID'
  /** Larger or deeper than the limits. */
  | 'LIMIT'
  /** The code cannot be written. */
  | 'OUTPUT';

/** A place in a schema; line and column count from 1. */
export interface SourcePlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A schema that cannot be compiled. `message` starts with `file:line:column`. */
export class CompilerError extends Error {
  readonly code: CompilerErrorCode;
  readonly place: SourcePlace | undefined;

  constructor(
    code: CompilerErrorCode,
    reason: string,
    place?: SourcePlace,
    options?: { readonly cause: unknown },
  ) {
    super(place === undefined ? reason : `${place.file}:${place.line}:${place.column}: ${reason}`, options);
    this.name = 'CompilerError';
    this.code = code;
    this.place = place;
  }
}

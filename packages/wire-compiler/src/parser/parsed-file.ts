/** One parsed file before its names are resolved, and where its parts stand. */
import type { FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import type { SourcePlace } from '../errors.ts';

export interface ParsedFile {
  readonly proto: FileDescriptorProto;
  readonly places: Places;
}

/** Where the parts of a file stand: of a declaration its name, of a field also its type. */
export class Places {
  readonly #file: string;
  readonly #names = new Map<object, SourcePlace>();
  readonly #types = new Map<object, SourcePlace>();

  constructor(file: string) {
    this.#file = file;
  }

  setName(part: object, place: SourcePlace): void {
    this.#names.set(part, place);
  }

  setType(part: object, place: SourcePlace): void {
    this.#types.set(part, place);
  }

  ofName(part: object): SourcePlace {
    return this.#names.get(part) ?? { file: this.#file, line: 1, column: 1 };
  }

  ofType(part: object): SourcePlace {
    return this.#types.get(part) ?? this.ofName(part);
  }
}

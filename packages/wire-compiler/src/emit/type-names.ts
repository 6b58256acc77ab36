/**
 * The names of everything that a file exports. A nested message `Foo.Bar` is `Foo_Bar`; each message also has
 * `…Init`, `…View` and `…Schema`. Where two would have one name, or where a name means something to TypeScript,
 * the later one gets a `$`, which no name in a schema can have.
 */
import type { DescEnum, DescFile, DescMessage, DescService } from '@bufbuild/protobuf';
import { safeIdentifier } from '@bufbuild/protoplugin';

/** Parameters and variables of generated code, which would hide a class of their name. */
const LOCAL: readonly string[] = [
  'at',
  'bits',
  'bytes',
  'channel',
  'context',
  'copied',
  'count',
  'depth',
  'done',
  'each',
  'encoder',
  'entry',
  'index',
  'init',
  'item',
  'items',
  'key',
  'list',
  'map',
  'message',
  'more',
  'offset',
  'opened',
  'owner',
  'p',
  'place',
  'reply',
  'request',
  'server',
  'size',
  'start',
  'value',
  'values',
  'view',
  'words',
];

/** Names that generated code uses, or that types cannot have. */
const TAKEN: readonly string[] = [
  ...LOCAL,
  'any',
  'Array',
  'ArrayLike',
  'BigInt64Array',
  'BigUint64Array',
  'bigint',
  'boolean',
  'Context',
  'Float32Array',
  'Float64Array',
  'Int32Array',
  'Iterable',
  'never',
  'number',
  'object',
  'Object',
  'Promise',
  'string',
  'symbol',
  'Uint32Array',
  'Uint8Array',
  'undefined',
  'unknown',
  'wire',
];

export interface MessageNames {
  readonly builder: string;
  readonly init: string;
  readonly view: string;
  readonly schema: string;
}

export interface ServiceNames {
  readonly service: string;
  readonly client: string;
  readonly server: string;
  readonly types: string;
}

const cache = new WeakMap<DescFile, TypeNames>();

export class TypeNames {
  readonly #taken = new Set(TAKEN);
  readonly #messages = new Map<DescMessage, MessageNames>();
  readonly #enums = new Map<DescEnum, string>();
  readonly #services = new Map<DescService, ServiceNames>();
  /** Of the constant that holds the file's descriptor. */
  readonly file: string;

  /** The names of one file are made once, so that whoever imports from it uses the same. */
  static of(file: DescFile): TypeNames {
    let names = cache.get(file);
    if (names === undefined) {
      names = new TypeNames(file);
      cache.set(file, names);
    }
    return names;
  }

  private constructor(file: DescFile) {
    this.file = `file_${file.name.replace(/[^A-Za-z0-9_]/g, '_')}`;
    this.#taken.add(this.file);
    for (const each of allMessages(file)) {
      const base = this.#free(baseName(each, file), ['', 'Init', 'View', 'Schema']);
      const [builder, init, view, schema] = [base, `${base}Init`, `${base}View`, `${base}Schema`];
      this.#messages.set(each, { builder, init, view, schema });
    }
    for (const each of allEnums(file)) this.#enums.set(each, this.#free(baseName(each, file), ['']));
    for (const each of file.services) {
      const base = this.#free(each.name, ['', 'Client', 'Server', 'Types']);
      this.#services.set(each, {
        service: base,
        client: `${base}Client`,
        server: `${base}Server`,
        types: `${base}Types`,
      });
    }
  }

  message(message: DescMessage): MessageNames {
    return this.#messages.get(message)!;
  }

  enum(type: DescEnum): string {
    return this.#enums.get(type)!;
  }

  service(service: DescService): ServiceNames {
    return this.#services.get(service)!;
  }

  #free(name: string, suffixes: readonly string[]): string {
    let base = safeIdentifier(name);
    const isTaken = (suffix: string): boolean =>
      // `bits0`, `bits1` and so on are words of a bitmap.
      this.#taken.has(base + suffix) || /^bits\d+$/.test(base + suffix);
    while (suffixes.some(isTaken)) base += '$';
    for (const suffix of suffixes) this.#taken.add(base + suffix);
    return base;
  }
}

/** All messages of a file, outer before inner, without those that stand for map entries. */
export function allMessages(file: DescFile): DescMessage[] {
  const walk = (messages: readonly DescMessage[]): DescMessage[] =>
    messages.flatMap((each) => [each, ...walk(each.nestedMessages)]);
  return walk(file.messages);
}

export function allEnums(file: DescFile): DescEnum[] {
  return [...file.enums, ...allMessages(file).flatMap((each) => each.nestedEnums)];
}

/** `pkg.Foo.Bar` → `Foo_Bar`. */
function baseName(type: DescMessage | DescEnum, file: DescFile): string {
  const { package: name } = file.proto;
  const local = name === '' ? type.typeName : type.typeName.slice(name.length + 1);
  return local.replaceAll('.', '_');
}

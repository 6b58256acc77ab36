/**
 * All names of a set of files, and how a name in a file is found: from the innermost scope outwards, first
 * part first, as in C++; only what the file imports (or what its imports import publicly) can be seen.
 */
import type {
  DescriptorProto,
  EnumDescriptorProto,
  FileDescriptorProto,
  ServiceDescriptorProto,
} from '@bufbuild/protobuf/wkt';
import { CompilerError, type SourcePlace } from '../errors.ts';

export type SymbolKind =
  | 'package'
  | 'message'
  | 'enum'
  | 'service'
  | 'method'
  | 'field'
  | 'oneof'
  | 'value'
  | 'extension';

export interface SchemaSymbol {
  readonly kind: SymbolKind;
  /** Name of the file that defines it. */
  readonly file: string;
}

export class SymbolTable {
  readonly #symbols = new Map<string, SchemaSymbol>();
  /** Per file, the files whose names it may use. */
  readonly #visible = new Map<string, ReadonlySet<string>>();

  /** Adds what a file defines; its imports must have been added before. */
  addFile(proto: FileDescriptorProto, placeOf: (part: object) => SourcePlace): void {
    this.#visible.set(proto.name, this.#visibleFrom(proto));
    this.#addPackage(proto, placeOf(proto));
    const adder = new SymbolAdder(proto.name, placeOf, this.#symbols);
    const scope = proto.package === '' ? '' : `${proto.package}.`;
    for (const each of proto.messageType) adder.addMessage(scope, each);
    for (const each of proto.enumType) adder.addEnum(scope, each);
    for (const each of proto.service) adder.addService(scope, each);
    for (const each of proto.extension) adder.add(scope + each.name, 'extension', each);
  }

  #addPackage(proto: FileDescriptorProto, place: SourcePlace): void {
    const parts = proto.package.split('.').filter((part) => part !== '');
    for (let count = 1; count <= parts.length; count++) {
      const name = parts.slice(0, count).join('.');
      const known = this.#symbols.get(name);
      if (known === undefined) this.#symbols.set(name, { kind: 'package', file: proto.name });
      else if (known.kind !== 'package')
        throw new CompilerError(
          'DUPLICATE',
          `package ${name} is already a ${known.kind} of ${known.file}`,
          place,
        );
    }
  }

  #visibleFrom(proto: FileDescriptorProto): ReadonlySet<string> {
    const visible = new Set([proto.name]);
    for (const name of proto.dependency) {
      visible.add(name);
      for (const each of this.#exported.get(name) ?? []) visible.add(each);
    }
    const exported = new Set([proto.name]);
    for (const index of proto.publicDependency) {
      const name = proto.dependency[index] ?? '';
      for (const each of this.#exported.get(name) ?? [name]) exported.add(each);
    }
    this.#exported.set(proto.name, exported);
    return visible;
  }

  /** Per file, itself and what it imports publicly. */
  readonly #exported = new Map<string, ReadonlySet<string>>();

  /**
   * Finds `name` as written in `scope` of `file`; the full name, or why there is none. What is no type does not hide
   * one, unless `isHidden` says so: the types of methods are looked for in that way.
   */
  resolve(
    name: string,
    scope: string,
    file: string,
    isHidden = false,
  ): { readonly fullName: string; readonly kind: SymbolKind } | string {
    if (name.startsWith('.')) return this.#found(name.slice(1), name, file);
    const dot = name.indexOf('.');
    const first = dot < 0 ? name : name.slice(0, dot);
    for (let outer = scope; ; outer = outer.slice(0, Math.max(0, outer.lastIndexOf('.')))) {
      const prefix = outer === '' ? '' : `${outer}.`;
      const symbol = this.#symbols.get(prefix + first);
      if (symbol !== undefined && (dot < 0 ? isHidden || isType(symbol.kind) : isScope(symbol.kind))) {
        const full = prefix + name;
        const isHere = symbol.kind !== 'package' || this.#symbols.has(full);
        if (isHere) return this.#found(full, name, file);
      }
      if (outer === '') return `${name} is not defined`;
    }
  }

  #found(
    fullName: string,
    name: string,
    file: string,
  ): { readonly fullName: string; readonly kind: SymbolKind } | string {
    const symbol = this.#symbols.get(fullName);
    if (symbol === undefined) return `${name} is not defined`;
    if (!isType(symbol.kind)) return `${name} is a ${symbol.kind}, not a type`;
    if (this.#visible.get(file)?.has(symbol.file) !== true)
      return `${name} is defined in ${symbol.file}, which is not imported`;
    return { fullName, kind: symbol.kind };
  }
}

function isType(kind: SymbolKind): boolean {
  return kind === 'message' || kind === 'enum';
}

function isScope(kind: SymbolKind): boolean {
  return kind === 'package' || kind === 'message' || kind === 'enum' || kind === 'service';
}

class SymbolAdder {
  readonly #file: string;
  readonly #placeOf: (part: object) => SourcePlace;
  readonly #symbols: Map<string, SchemaSymbol>;

  constructor(file: string, placeOf: (part: object) => SourcePlace, symbols: Map<string, SchemaSymbol>) {
    this.#file = file;
    this.#placeOf = placeOf;
    this.#symbols = symbols;
  }

  add(fullName: string, kind: SymbolKind, part: object): void {
    const known = this.#symbols.get(fullName);
    if (known !== undefined) {
      const where = known.file === this.#file ? '' : ` of ${known.file}`;
      const hint =
        kind === 'value' || known.kind === 'value'
          ? ' (the values of an enum are siblings of the enum, not members)'
          : '';
      throw new CompilerError(
        'DUPLICATE',
        `${fullName} is already a ${known.kind}${where}${hint}`,
        this.#placeOf(part),
      );
    }
    this.#symbols.set(fullName, { kind, file: this.#file });
  }

  addMessage(scope: string, message: DescriptorProto): void {
    const name = scope + message.name;
    this.add(name, 'message', message);
    const inner = `${name}.`;
    for (const each of message.field) this.add(inner + each.name, 'field', each);
    for (const each of message.oneofDecl) this.add(inner + each.name, 'oneof', each);
    for (const each of message.nestedType) this.addMessage(inner, each);
    for (const each of message.enumType) this.addEnum(inner, each);
    for (const each of message.extension) this.add(inner + each.name, 'extension', each);
  }

  addEnum(scope: string, type: EnumDescriptorProto): void {
    this.add(scope + type.name, 'enum', type);
    for (const each of type.value) this.add(scope + each.name, 'value', each);
  }

  addService(scope: string, service: ServiceDescriptorProto): void {
    const name = scope + service.name;
    this.add(name, 'service', service);
    for (const each of service.method) this.add(`${name}.${each.name}`, 'method', each);
  }
}

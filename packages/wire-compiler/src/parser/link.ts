/** Resolves the type names of a parsed file and holds it against the rules that need more than one line. */
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  type FileDescriptorProto,
} from '@bufbuild/protobuf/wkt';
import { CompilerError, type CompilerErrorCode, type SourcePlace } from '../errors.ts';
import { FIELD_NUMBER_RESERVED_FIRST, FIELD_NUMBER_RESERVED_LAST } from '../limits.ts';
import { jsonName } from './names.ts';
import type { ParsedFile, Places } from './parsed-file.ts';
import type { SymbolTable } from './symbols.ts';

/** Completes `file` in place. Its symbols and those of its imports are in `symbols`. */
export function linkFile(file: ParsedFile, symbols: SymbolTable): void {
  new Linker(file, symbols).run();
}

class Linker {
  readonly #proto: FileDescriptorProto;
  readonly #places: Places;
  readonly #symbols: SymbolTable;

  constructor(file: ParsedFile, symbols: SymbolTable) {
    this.#proto = file.proto;
    this.#places = file.places;
    this.#symbols = symbols;
  }

  run(): void {
    const scope = this.#proto.package;
    for (const each of this.#proto.messageType) this.#message(scope, each);
    for (const each of this.#proto.enumType) this.#enum(each);
    for (const each of this.#proto.extension) this.#extension(scope, each);
    for (const service of this.#proto.service) {
      for (const method of service.method) {
        const place = this.#places.ofType(method);
        const inner = `${join(scope, service.name)}.${method.name}`;
        method.inputType = this.#typeName(method.inputType, inner, place, 'message', true).fullName;
        method.outputType = this.#typeName(method.outputType, inner, place, 'message', true).fullName;
      }
    }
  }

  #fail(code: CompilerErrorCode, reason: string, place: SourcePlace): never {
    throw new CompilerError(code, reason, place);
  }

  #typeName(
    name: string,
    scope: string,
    place: SourcePlace,
    wanted?: 'message',
    isHidden = false,
  ): { readonly fullName: string; readonly isEnum: boolean } {
    const found = this.#symbols.resolve(name, scope, this.#proto.name, isHidden);
    if (typeof found === 'string') this.#fail('UNKNOWN_TYPE', found, place);
    if (wanted !== undefined && found.kind !== wanted)
      this.#fail('INVALID', `${name} is an ${found.kind}, a ${wanted} is needed here`, place);
    return { fullName: `.${found.fullName}`, isEnum: found.kind === 'enum' };
  }

  #message(scope: string, message: DescriptorProto): void {
    const name = join(scope, message.name);
    for (const each of message.field) this.#field(name, each);
    this.#checkNumbers(message);
    this.#checkNames(message);
    for (const each of message.nestedType) this.#message(name, each);
    for (const each of message.enumType) this.#enum(each);
    for (const each of message.extension) this.#extension(name, each);
  }

  #field(scope: string, field: FieldDescriptorProto): void {
    if (field.jsonName === '') field.jsonName = jsonName(field.name);
    if (field.typeName !== '') {
      const { fullName, isEnum } = this.#typeName(field.typeName, scope, this.#places.ofType(field));
      field.typeName = fullName;
      field.type = isEnum ? FieldDescriptorProto_Type.ENUM : FieldDescriptorProto_Type.MESSAGE;
    }
    const { FIRST, LAST } = { FIRST: FIELD_NUMBER_RESERVED_FIRST, LAST: FIELD_NUMBER_RESERVED_LAST };
    if (field.number >= FIRST && field.number <= LAST)
      this.#fail(
        'RESERVED',
        `field numbers ${FIRST} to ${LAST} are kept for protobuf itself`,
        this.#places.ofName(field),
      );
    this.#checkFieldOptions(field);
  }

  #checkFieldOptions(field: FieldDescriptorProto): void {
    const place = this.#places.ofName(field);
    const isRepeated = field.label === FieldDescriptorProto_Label.REPEATED;
    if (field.options?.packed && !(isRepeated && isPackable(field.type)))
      this.#fail('OPTION', 'packed is for repeated numbers, bools and enums', place);
    if (field.options?.jstype && !is64Bit(field.type))
      this.#fail('OPTION', 'jstype is for 64-bit integers', place);
  }

  #extension(scope: string, field: FieldDescriptorProto): void {
    const place = this.#places.ofType(field);
    field.extendee = this.#typeName(field.extendee, scope, place, 'message').fullName;
    this.#field(scope, field);
    if (!/^\.google\.protobuf\.[A-Za-z]+Options$/.test(field.extendee))
      this.#fail('UNSUPPORTED', 'proto3 has extensions for custom options only', place);
  }

  #checkNumbers(message: DescriptorProto): void {
    const numbers = new Map<number, string>();
    for (const field of message.field) {
      const place = this.#places.ofName(field);
      const other = numbers.get(field.number);
      if (other !== undefined)
        this.#fail('DUPLICATE', `number ${field.number} is already that of field ${other}`, place);
      numbers.set(field.number, field.name);
      const range = message.reservedRange.find(
        (each) => field.number >= each.start && field.number < each.end,
      );
      if (range !== undefined) this.#fail('RESERVED', `number ${field.number} is reserved`, place);
      if (message.reservedName.includes(field.name))
        this.#fail('RESERVED', `the name ${field.name} is reserved`, place);
    }
    const sorted = [...message.reservedRange].sort((a, b) => a.start - b.start);
    for (let index = 1; index < sorted.length; index++) {
      if (sorted[index]!.start < sorted[index - 1]!.end)
        this.#fail('DUPLICATE', `${sorted[index]!.start} is reserved twice`, this.#places.ofName(message));
    }
    const names = message.reservedName;
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined)
      this.#fail('DUPLICATE', `${twice} is reserved twice`, this.#places.ofName(message));
  }

  /** In JSON two fields of one name could not be told apart. */
  #checkNames(message: DescriptorProto): void {
    const names = new Map<string, string>();
    for (const field of message.field) {
      const other = names.get(field.jsonName);
      if (other !== undefined)
        this.#fail(
          'DUPLICATE',
          `the JSON name ${field.jsonName} is already that of field ${other}`,
          this.#places.ofName(field),
        );
      names.set(field.jsonName, field.name);
    }
  }

  #enum(type: EnumDescriptorProto): void {
    const [first] = type.value;
    if (first !== undefined && first.number !== 0)
      this.#fail('INVALID', 'the first value of an enum must be 0', this.#places.ofName(first));
    const numbers = new Map<number, string>();
    for (const value of type.value) {
      const place = this.#places.ofName(value);
      const other = numbers.get(value.number);
      if (other !== undefined && type.options?.allowAlias !== true)
        this.#fail(
          'DUPLICATE',
          `number ${value.number} is already that of ${other}; option allow_alias = true allows that`,
          place,
        );
      numbers.set(value.number, value.name);
      if (type.reservedRange.some((each) => value.number >= each.start && value.number <= each.end))
        this.#fail('RESERVED', `number ${value.number} is reserved`, place);
      if (type.reservedName.includes(value.name))
        this.#fail('RESERVED', `the name ${value.name} is reserved`, place);
    }
  }
}

function join(scope: string, name: string): string {
  return scope === '' ? name : `${scope}.${name}`;
}

function isPackable(type: FieldDescriptorProto_Type): boolean {
  const { STRING, BYTES, MESSAGE, GROUP } = FieldDescriptorProto_Type;
  return type !== STRING && type !== BYTES && type !== MESSAGE && type !== GROUP;
}

function is64Bit(type: FieldDescriptorProto_Type): boolean {
  const { INT64, UINT64, FIXED64, SFIXED64, SINT64 } = FieldDescriptorProto_Type;
  return type === INT64 || type === UINT64 || type === FIXED64 || type === SFIXED64 || type === SINT64;
}

/** A message as code is made of it. */
import type { DescMessage, DescOneof } from '@bufbuild/protobuf';
import { CompilerError } from '../errors.ts';
import { placeOf } from '../model/source-places.ts';
import { type FieldModel, fieldModel, type TypeReferences } from './field-model.ts';
import { MemberNames, type OneofNames } from './member-names.ts';
import type { MessageNames } from './type-names.ts';

/**
 * A message of more fields has marks: bits of which groups of its fields may be set, so that what is sent costs what
 * is set. Below, looking at all of them costs less than marking.
 */
const UNMARKED_FIELDS_MAX = 32;
const MARKS = 32;
const GROUP_FIELDS_MIN = 8;

/** The wire format's limit, which is `@larder/wire`'s FIELD_NUMBER_MAX. */
const FIELD_NUMBER_MAX = 65_504;

export interface OneofModel {
  readonly desc: DescOneof;
  readonly names: OneofNames;
  /** In the order of their numbers. */
  readonly fields: readonly FieldModel[];
}

export interface MessageModel {
  readonly desc: DescMessage;
  readonly names: MessageNames;
  /** In the order of their numbers, which is the order on the wire. */
  readonly fields: readonly FieldModel[];
  readonly oneofs: readonly OneofModel[];
  /** The fields by marks, neighbours together; a single group when there are none. */
  readonly groups: readonly (readonly FieldModel[])[];
  /** The words of the bitmap that have fields, ascending; at least the first. */
  readonly words: readonly number[];
  readonly types: TypeReferences;
}

export function messageModel(desc: DescMessage, names: MessageNames, types: TypeReferences): MessageModel {
  const members = new MemberNames(desc);
  const fields = desc.fields.map((field) => fieldModel(field, members)).sort((a, b) => a.bit - b.bit);
  for (const field of fields) checkNumber(desc, field);
  const oneofs = desc.oneofs.map((oneof) => ({
    desc: oneof,
    names: members.oneof(oneof),
    fields: fields.filter((field) => field.oneof === oneof),
  }));
  const words = [...new Set([0, ...fields.map((field) => wordOf(field))])].sort((a, b) => a - b);
  return { desc, names, fields, groups: groupsOf(fields), oneofs, words, types };
}

function groupsOf(fields: readonly FieldModel[]): readonly (readonly FieldModel[])[] {
  if (fields.length <= UNMARKED_FIELDS_MAX) return [fields];
  const size = Math.max(GROUP_FIELDS_MIN, Math.ceil(fields.length / MARKS));
  const count = Math.ceil(fields.length / size);
  return Array.from({ length: count }, (_, index) => fields.slice(index * size, (index + 1) * size));
}

export function isMarked(model: MessageModel): boolean {
  return model.groups.length > 1;
}

/** The mark of a field's group, as a literal. */
export function markOf(model: MessageModel, field: FieldModel): string {
  return hex(1 << model.groups.findIndex((group) => group.includes(field)));
}

/** What a number is kept in: the property itself, or, where setting it leaves a mark, what is behind that. */
export function numberName(model: MessageModel, field: FieldModel): string {
  return isMarked(model) || field.oneof !== undefined ? field.storage.value : field.name;
}

/** Lists and maps with a builder of their own, which may be filled without the message's knowing: never marked. */
export function isCollection(field: FieldModel): boolean {
  return field.shape !== 'single' && !isStaged(field);
}

function checkNumber(desc: DescMessage, field: FieldModel): void {
  if (field.desc.number <= FIELD_NUMBER_MAX) return;
  const file = desc.file.proto;
  const path = [...messagePath(desc), 2, desc.proto.field.indexOf(field.desc.proto)];
  throw new CompilerError(
    'UNSUPPORTED',
    `field ${field.desc.name} has number ${field.desc.number}; the wire format has up to ${FIELD_NUMBER_MAX}`,
    placeOf(file, path),
  );
}

/** The path of a message in its file's descriptor. */
function messagePath(desc: DescMessage): number[] {
  const { parent } = desc;
  if (parent === undefined) return [4, desc.file.proto.messageType.indexOf(desc.proto)];
  return [...messagePath(parent), 3, parent.proto.nestedType.indexOf(desc.proto)];
}

/** The word of the bitmap that has a field's bit. */
export function wordOf(field: FieldModel): number {
  return field.bit >>> 5;
}

/** The field's bit in its word, as a literal. */
export function maskOf(field: FieldModel): string {
  return hex(1 << (field.bit & 31));
}

export function hex(bits: number): string {
  return bits < 0 ? String(bits) : `0x${bits.toString(16)}`;
}

/** Where a word of the bitmap is kept and called. */
export function bitsName(model: MessageModel, word: number): string {
  return model.words.length === 1 ? 'bits' : `bits${word}`;
}

/** Whether assigning the field stages bytes, which makes the builder belong to a message. */
export function isStaged(field: FieldModel): boolean {
  if (field.shape === 'map') return false;
  return field.shape === 'single' ? field.value.kind === 'data' : field.value.kind === 'number';
}

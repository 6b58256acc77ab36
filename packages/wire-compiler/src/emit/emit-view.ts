/** The class that a received message is read with: lazy getters at places that the compiler has computed. */
import type { Printable } from '@bufbuild/protoplugin';
import { caseType, emitCaseSwitch } from './builder-accessors.ts';
import type { Code } from './code.ts';
import { docLines } from './comments.ts';
import { codec, type FieldModel, plainType, readType, type ValueModel } from './field-model.ts';
import { hex, isStaged, type MessageModel, maskOf, type OneofModel, wordOf } from './message-model.ts';

export function emitView(code: Code, model: MessageModel): void {
  const { view } = model.names;
  code.line();
  code.raw(docLines(model.desc, code.indent, [`message ${model.desc.typeName}: what is received.`]));
  code.block([code.export('class', view), ' extends wire.View'], () => {
    emitFrame(code, model);
    emitShape(code, model);
    for (const oneof of model.oneofs) emitOneof(code, oneof);
    for (const field of model.fields) {
      emitGetter(code, model, field);
      if (field.shape === 'single' && field.value.kind === 'data') emitLocate(code, model, field);
    }
  });
}

/** What is the same in all views. */
function emitFrame(code: Code, model: MessageModel): void {
  const { view } = model.names;
  const maps = model.fields.filter(({ shape }) => shape === 'map');
  code.line('$message: wire.Message;');
  for (const name of ['$at', '$entries', '$bits', '$depth']) code.line(`${name}: number;`);
  for (const field of maps) code.line(`${field.storage.value}: `, ...mapType(model, field), ' | undefined;');
  code.line();
  code.line('/** `at` and `depth` are for objects inside others. */');
  code.block(['constructor(message: wire.Message, at: number = 0, depth: number = 0)'], () => {
    code.line('super();');
    code.line(`const opened = message.open(at, depth, ${view});`);
    emitOpened(code, maps);
  });
  code.line();
  code.line('/** Points this view at another message, so that nothing is allocated for it. */');
  code.block(['$over(message: wire.Message): this'], () => {
    code.line(`const opened = message.open(0, 0, ${view});`);
    emitOpened(code, maps);
    code.line('return this;');
  });
  code.line();
  code.line('/** Reads bytes that stay as they are for as long as the view is used. */');
  code.block([`static read(bytes: Uint8Array): ${view}`], () =>
    code.line(`return new ${view}(wire.Message.of(bytes));`),
  );
  code.line();
  code.line('/** A view of a copy, independent of the receive buffer. */');
  code.block([`copy(): ${view}`], () => {
    code.line(`const copied = wire.copyOf(this, ${view});`);
    code.line(`return new ${view}(copied, copied.at);`);
  });
}

/** What a view keeps of the object that was opened. */
function emitOpened(code: Code, maps: readonly FieldModel[]): void {
  code.line('this.$message = opened;');
  for (const name of ['at', 'entries', 'bits', 'depth']) code.line(`this.$${name} = opened.${name};`);
  for (const { storage } of maps) code.line(`this.${storage.value} = undefined;`);
}

/** What the fields lead to. */
function emitShape(code: Code, model: MessageModel): void {
  const { fields } = model;
  code.line();
  code.line('/** What the fields lead to. */');
  code.block(['static $shape(): wire.Shape'], () => {
    if (fields.length === 0) {
      code.line('return [];');
      return;
    }
    code.line('return [');
    for (const field of fields) code.line(`  [${field.bit}, `, ...leadsTo(model, field), '],');
    code.line('];');
  });
}

function leadsTo(model: MessageModel, { shape, value, key }: FieldModel): Printable[] {
  if (shape === 'map') return ['"map", ', ...pairShape(model, key!), ', ', ...pairShape(model, value)];
  if (value.kind === 'number') return [shape === 'list' ? `"packed", ${value.number.bytes}` : '"number"'];
  if (value.kind === 'data') return [shape === 'list' ? '"list"' : '"data"'];
  return [shape === 'list' ? '"objects", ' : '"object", ', model.types.view(value.message)];
}

function pairShape(model: MessageModel, value: ValueModel): Printable[] {
  return value.kind === 'message' ? [model.types.view(value.message)] : [JSON.stringify(value.kind)];
}

/** Where the entry of a field in the first word is, given that the field is present. */
function place(field: FieldModel): string {
  if (field.bit === 0) return 'this.$entries';
  // All bits below count, also those of fields that this schema does not know.
  const below = field.bit === 31 ? 0x7fff_ffff : (1 << field.bit) - 1;
  return `this.$entries + wire.popcount(this.$bits & ${hex(below)}) * 8`;
}

/** A condition that holds when the field is absent; of a oneof, also when an earlier member is there. */
function absence(model: MessageModel, field: FieldModel): string {
  const oneof = model.oneofs.find(({ desc }) => desc === field.oneof);
  if (oneof === undefined) return `(this.$bits & ${maskOf(field)}) === 0`;
  let mask = 0;
  for (const each of oneof.fields) {
    if (each.bit <= field.bit) mask |= 1 << each.bit;
  }
  return `(this.$bits & ${hex(mask)}) !== ${hex(1 << field.bit)}`;
}

function isShort(field: FieldModel): boolean {
  return wordOf(field) === 0;
}

/** Whether all members of a oneof are in the first word. */
function isShortOneof(oneof: OneofModel): boolean {
  return oneof.fields.every(isShort);
}

/** `p`: the entry, 0 when the field is absent. */
function emitPlace(code: Code, model: MessageModel, field: FieldModel): void {
  const oneof = model.oneofs.find(({ desc }) => desc === field.oneof);
  if (oneof !== undefined && !isShortOneof(oneof)) {
    const slot = `this.$message.slot(this.$at, ${field.bit})`;
    code.line(`const p = this.${oneof.names.storage}() === ${field.desc.number} ? ${slot} : 0;`);
  } else if (isShort(field)) {
    code.line(`const p = ${absence(model, field)} ? 0 : ${place(field)};`);
  } else {
    code.line(`const p = this.$message.slot(this.$at, ${field.bit});`);
  }
}

function usesSlot(model: MessageModel, field: FieldModel): boolean {
  const oneof = model.oneofs.find(({ desc }) => desc === field.oneof);
  return !isShort(field) || (oneof !== undefined && !isShortOneof(oneof));
}

function emitGetter(code: Code, model: MessageModel, field: FieldModel): void {
  const { name, value } = field;
  const { types } = model;
  code.line();
  code.raw(docLines(field.desc, code.indent));
  if (field.shape !== 'single') {
    emitCollection(code, model, field);
    return;
  }
  const absent = value.kind === 'message' || field.isOptional ? 'undefined' : zero(field);
  const orUndefined = absent === 'undefined' ? ' | undefined' : '';
  code.block([`get ${name}(): `, readType(value, types), orUndefined], () => {
    const at = usesSlot(model, field) ? 'p' : place(field);
    if (usesSlot(model, field)) {
      emitPlace(code, model, field);
      code.line(`if (p === 0) return ${absent};`);
    } else {
      code.line(`if (${absence(model, field)}) return ${absent};`);
    }
    if (value.kind === 'message') {
      const object = `this.$message.object(${at})`;
      code.line('return new ', types.view(value.message), `(this.$message, ${object}, this.$depth + 1);`);
    } else {
      code.line(`return this.$message.${method(field)}(${at});`);
    }
  });
}

function zero(field: FieldModel): string {
  const { value } = field;
  if (value.kind === 'data') return value.isText ? '""' : 'wire.NO_BYTES';
  return value.kind === 'number' ? value.number.zero : 'undefined';
}

/** The message's method that reads a field's value. */
function method(field: FieldModel): string {
  const { value } = field;
  if (value.kind === 'number') return value.number.name;
  return value.kind === 'data' && value.isText ? 'string' : 'bytesAt';
}

function emitLocate(code: Code, model: MessageModel, field: FieldModel): void {
  code.line(
    `/** Where the bytes of \`${field.name}\` lie, without making an object; undefined when it is absent. */`,
  );
  code.block([`${field.storage.locate}(): wire.ByteRange | undefined`], () => {
    if (usesSlot(model, field)) {
      emitPlace(code, model, field);
      code.line('return p === 0 ? undefined : this.$message.locate(p);');
    } else {
      code.line(`if (${absence(model, field)}) return undefined;`);
      code.line(`return this.$message.locate(${place(field)});`);
    }
  });
}

function emitCollection(code: Code, model: MessageModel, field: FieldModel): void {
  const { name, value } = field;
  const { types } = model;
  if (field.shape === 'map') {
    const { storage } = field;
    code.block([`get ${name}(): `, ...mapType(model, field)], () => {
      code.line(`if (this.${storage.value} !== undefined) return this.${storage.value};`);
      emitPlace(code, model, field);
      const values =
        value.kind === 'message'
          ? ['wire.viewCodec(', types.view(value.message), ', this.$depth + 1)']
          : [codec(value)];
      const map = [`new wire.MapView(this.$message, p, ${codec(field.key!)}, `, ...values, ')'];
      code.line(`this.${storage.value} = `, ...map, ';');
      code.line(`return this.${storage.value};`);
    });
    return;
  }
  if (isStaged(field) && value.kind === 'number') {
    code.block([`get ${name}(): ${value.number.array}`], () => {
      emitPlace(code, model, field);
      code.line(`return wire.${packedReader(value.number.name)}(this.$message, p);`);
    });
    return;
  }
  const list =
    value.kind === 'message'
      ? ['wire.MessageListView<', types.view(value.message), '>']
      : [value.kind === 'data' && value.isText ? 'wire.StringListView' : 'wire.BytesListView'];
  code.block([`get ${name}(): `, ...list], () => {
    emitPlace(code, model, field);
    if (value.kind === 'message')
      code.line(
        'return new wire.MessageListView(this.$message, p, ',
        types.view(value.message),
        ', this.$depth + 1);',
      );
    else code.line('return new ', ...list, '(this.$message, p);');
  });
}

function mapType(model: MessageModel, { key, value }: FieldModel): Printable[] {
  const { types } = model;
  return ['wire.MapView<', plainType(key!, types), ', ', readType(value, types), '>'];
}

function packedReader(name: string): string {
  const readers: Readonly<Record<string, string>> = {
    bool: 'readBools',
    int32: 'readInt32s',
    uint32: 'readUint32s',
    float: 'readFloats',
    double: 'readDoubles',
    int64: 'readInt64s',
    uint64: 'readUint64s',
    int64Number: 'readInt64Numbers',
    uint64Number: 'readUint64Numbers',
  };
  return readers[name]!;
}

function emitOneof(code: Code, oneof: OneofModel): void {
  const { names, fields, desc } = oneof;
  code.line();
  const note = `Which field of \`${desc.name}\` is set: of several, which no writer sends, the first.`;
  code.raw(docLines(desc, code.indent, [note]));
  if (!isShortOneof(oneof)) {
    code.block([`get ${names.property}(): ${caseType(oneof)}`], () =>
      emitCaseSwitch(code, oneof, `this.${names.storage}()`),
    );
    code.line();
    code.block([`${names.storage}(): number`], () => {
      for (const field of fields)
        code.line(`if (this.$message.slot(this.$at, ${field.bit}) !== 0) return ${field.desc.number};`);
      code.line('return 0;');
    });
    return;
  }
  let mask = 0;
  for (const field of fields) mask |= 1 << field.bit;
  code.block([`get ${names.property}(): ${caseType(oneof)}`], () => {
    code.line(`const bits = this.$bits & ${hex(mask)};`);
    code.block(['switch (bits & -bits)'], () => {
      for (const field of fields) {
        code.line(`case ${hex(1 << field.bit)}:`);
        code.line(`  return ${JSON.stringify(field.name)};`);
      }
      code.line('default:');
      code.line('  return undefined;');
    });
  });
}

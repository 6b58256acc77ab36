/** Getters and setters of a builder, and the methods beside them. */
import type { Printable } from '@bufbuild/protoplugin';
import type { Code } from './code.ts';
import { docLines } from './comments.ts';
import { collectionType, emptySize } from './emit-builder.ts';
import { type FieldModel, initType, plainType, writeType } from './field-model.ts';
import { isMarked, isStaged, type MessageModel, markOf, type OneofModel } from './message-model.ts';

export function emitAccessors(code: Code, model: MessageModel): void {
  for (const oneof of model.oneofs) emitOneof(code, oneof);
  for (const field of model.fields) {
    if (field.shape !== 'single') emitCollection(code, model, field);
    else if (field.value.kind === 'message') emitMessage(code, model, field);
    else if (field.value.kind === 'data') emitData(code, model, field);
    else if (field.oneof !== undefined) emitChosenNumber(code, model, field);
    else if (isMarked(model)) emitMarkedNumber(code, model, field);
  }
}

function emitOneof(code: Code, oneof: OneofModel): void {
  const { names, fields, desc } = oneof;
  code.line();
  code.raw(docLines(desc, code.indent, [`Which field of \`${desc.name}\` is set.`]));
  code.block([`get ${names.property}(): ${caseType(oneof)}`], () =>
    emitCaseSwitch(code, oneof, `this.${names.storage}`),
  );
  code.line();
  code.line(`/** Empties \`${desc.name}\`. */`);
  code.block([`${names.clear}(): void`], () => {
    for (const field of fields) {
      const { storage, value, desc: each } = field;
      if (value.kind === 'data') {
        code.line(
          `if (this.${names.storage} === ${each.number}) this.$encoder.drop(this.${storage.size}, this.${storage.place});`,
        );
        code.line(`this.${storage.size} = 0;`);
      } else if (value.kind === 'message') {
        code.line(`if (this.${storage.value} !== undefined) this.$encoder.hasGarbage = true;`);
        code.line(`this.${storage.value} = undefined;`);
      }
    }
    code.line(`this.${names.storage} = 0;`);
  });
}

/** The names of a oneof's fields, as a type. */
export function caseType(oneof: OneofModel): string {
  return [...oneof.fields.map(({ name }) => JSON.stringify(name)), 'undefined'].join(' | ');
}

export function emitCaseSwitch(code: Code, oneof: OneofModel, number: string): void {
  code.block([`switch (${number})`], () => {
    for (const { desc, name } of oneof.fields) {
      code.line(`case ${desc.number}:`);
      code.line(`  return ${JSON.stringify(name)};`);
    }
    code.line('default:');
    code.line('  return undefined;');
  });
}

function oneofOf(model: MessageModel, field: FieldModel): OneofModel {
  return model.oneofs.find(({ desc }) => desc === field.oneof)!;
}

/** In a setter of a oneof's field: undefined empties it if it is this one; anything else first empties it. */
function emitChoose(code: Code, oneof: OneofModel, field: FieldModel): void {
  code.line(`if (value === undefined && this.${oneof.names.storage} !== ${field.desc.number}) return;`);
  code.line(`this.${oneof.names.clear}();`);
  code.line('if (value === undefined) return;');
}

/** In everything that sets a field. */
function emitMark(code: Code, model: MessageModel, field: FieldModel): void {
  if (isMarked(model)) code.line(`this.$marks |= ${markOf(model, field)};`);
}

function emitMarkedNumber(code: Code, model: MessageModel, field: FieldModel): void {
  const { storage, name, desc } = field;
  const type: Printable = [plainType(field.value, model.types), field.isOptional ? ' | undefined' : ''];
  code.line();
  code.raw(docLines(desc, code.indent));
  code.block([`get ${name}(): `, type], () => code.line(`return this.${storage.value};`));
  code.block([`set ${name}(value: `, type, ')'], () => {
    emitMark(code, model, field);
    code.line(`this.${storage.value} = value;`);
  });
}

function emitChosenNumber(code: Code, model: MessageModel, field: FieldModel): void {
  const oneof = oneofOf(model, field);
  const { storage, name, desc } = field;
  const type = plainType(field.value, model.types);
  code.line();
  code.raw(docLines(desc, code.indent));
  code.block([`get ${name}(): `, type, ' | undefined'], () =>
    code.line(`return this.${oneof.names.storage} === ${desc.number} ? this.${storage.value} : undefined;`),
  );
  code.block([`set ${name}(value: `, type, ' | undefined)'], () => {
    emitChoose(code, oneof, field);
    emitMark(code, model, field);
    code.line(`this.${storage.value} = value;`);
    code.line(`this.${oneof.names.storage} = ${desc.number};`);
  });
}

function emitMessage(code: Code, model: MessageModel, field: FieldModel): void {
  if (field.value.kind !== 'message') return;
  const { storage, name, desc } = field;
  const { types } = model;
  const builder = types.builder(field.value.message);
  const oneof = field.oneof === undefined ? undefined : oneofOf(model, field);
  code.line();
  code.raw(docLines(desc, code.indent));
  code.block([`get ${name}(): `, builder, ' | undefined'], () =>
    code.line(`return this.${storage.value} instanceof `, builder, ` ? this.${storage.value} : undefined;`),
  );
  code.block([`set ${name}(value: `, writeType(field.value, types), ' | undefined)'], () => {
    emitMark(code, model, field);
    if (oneof === undefined) {
      code.line(`if (this.${storage.value} !== undefined) this.$encoder.hasGarbage = true;`);
      code.line(
        `this.${storage.value} = value === undefined ? undefined : `,
        builder,
        '.$adopt(this.$encoder, value);',
      );
      return;
    }
    emitChoose(code, oneof, field);
    code.line(`this.${storage.value} = `, builder, '.$adopt(this.$encoder, value);');
    code.line(`this.${oneof.names.storage} = ${desc.number};`);
  });
  code.line('/** Sets the field to an empty message and returns it. */');
  code.block([`${storage.init}(): `, builder], () => {
    code.line('const value = new ', builder, '(this.$encoder);');
    if (oneof === undefined) {
      emitMark(code, model, field);
      code.line(`if (this.${storage.value} !== undefined) this.$encoder.hasGarbage = true;`);
    }
    code.line(oneof === undefined ? `this.${storage.value} = value;` : `this.${name} = value;`);
    code.line('return value;');
  });
}

function emitData(code: Code, model: MessageModel, field: FieldModel): void {
  if (field.value.kind !== 'data') return;
  const { storage, name, desc, value } = field;
  const type = plainType(value, model.types);
  const orUndefined = field.isOptional ? ' | undefined' : '';
  const oneof = field.oneof === undefined ? undefined : oneofOf(model, field);
  const peek = value.isText ? 'wire.peekText(this.$encoder, ' : 'this.$encoder.peek(';
  const absent =
    oneof !== undefined
      ? `this.${oneof.names.storage} !== ${desc.number}`
      : field.isOptional
        ? `this.${storage.size} < 0`
        : undefined;
  code.line();
  code.raw(docLines(desc, code.indent));
  code.block([`get ${name}(): `, type, orUndefined], () => {
    if (absent !== undefined) code.line(`if (${absent}) return undefined;`);
    code.line(`return ${peek}this.${storage.size}, this.${storage.place});`);
  });
  const parameter: Printable = ['value: ', writeType(value, model.types), orUndefined];
  code.block([`set ${name}(`, parameter, ')'], () => {
    emitStage(code, model, field, oneof, 'stage(value)', 'encoder.size', field.isOptional);
  });
  code.line('/** Sets the field to bytes of the arena: a copy of them, or a counted reference. */');
  code.block([`${storage.setAt}(offset: number, bytes: number): void`], () => {
    emitStage(code, model, field, oneof, 'stageAt(offset, bytes)', 'bytes', false);
  });
  code.line(
    '/** Sets the field to bytes of the arena by a reference that the caller has counted for this. */',
  );
  code.block([`${storage.setReference}(offset: number, bytes: number, owner: number): void`], () => {
    emitStage(code, model, field, oneof, 'stageReference(offset, bytes, owner)', 'bytes', false);
  });
}

function emitStage(
  code: Code,
  model: MessageModel,
  field: FieldModel,
  oneof: OneofModel | undefined,
  call: string,
  size: string,
  mayBeUndefined: boolean,
): void {
  const { storage } = field;
  code.line('const encoder = this.$encoder;');
  code.line('this.$generation = encoder.claim(this.$generation);');
  emitMark(code, model, field);
  const mayAlias = call === 'stage(value)';
  if (oneof !== undefined) {
    if (mayAlias) code.line(`if (this.${oneof.names.storage} !== 0) value = encoder.unaliased(value);`);
    if (mayBeUndefined) emitChoose(code, oneof, field);
    else code.line(`this.${oneof.names.clear}();`);
  } else {
    const staged = `this.${storage.size}, this.${storage.place}`;
    if (mayAlias) code.line(`if (this.${storage.size} > 0) value = encoder.replaced(value, ${staged});`);
    else code.line(`encoder.drop(${staged});`);
    code.line(`this.${storage.size} = ${emptySize(field)};`);
    if (mayBeUndefined) code.line('if (value === undefined) return;');
  }
  code.line(`this.${storage.place} = encoder.${call};`);
  code.line(`this.${storage.size} = ${size};`);
  if (oneof !== undefined) code.line(`this.${oneof.names.storage} = ${field.desc.number};`);
}

function emitCollection(code: Code, model: MessageModel, field: FieldModel): void {
  const { storage, name, value } = field;
  const { types } = model;
  code.line();
  code.raw(docLines(field.desc, code.indent));
  if (isStaged(field)) {
    emitPacked(code, model, field);
    return;
  }
  code.block([`get ${name}(): `, collectionType(field, model)], () =>
    code.line(`return this.${storage.value};`),
  );
  code.block([`set ${name}(values: `, initType(field, types), ')'], () => {
    if (field.shape === 'list' && value.kind !== 'message') {
      code.line(`this.${storage.value}.replaceAll(values);`);
      return;
    }
    code.line(`this.${storage.value}.drop();`);
    const adopt =
      value.kind === 'message' ? [types.builder(value.message), '.$adopt(this.$encoder, value)'] : [];
    if (field.shape === 'list') {
      code.line(`for (const value of values) this.${storage.value}.push(`, ...adopt, ');');
    } else if (value.kind === 'message') {
      code.line(`for (const [key, value] of values) this.${storage.value}.put(key, `, ...adopt, ');');
    } else {
      code.line(`this.${storage.value}.setAll(values);`);
    }
  });
}

function emitPacked(code: Code, model: MessageModel, field: FieldModel): void {
  if (field.value.kind !== 'number') return;
  const { storage, name } = field;
  const { number } = field.value;
  const type = JSON.stringify(number.name);
  code.block([`get ${name}(): ${number.array}`], () =>
    code.line(`return wire.peekPacked(this.$encoder, ${type}, this.${storage.size}, this.${storage.place});`),
  );
  code.block([`set ${name}(values: `, initType(field, model.types), ')'], () => {
    code.line('const encoder = this.$encoder;');
    code.line('this.$generation = encoder.claim(this.$generation);');
    emitMark(code, model, field);
    code.line(`const count = this.${storage.size};`);
    code.line(`this.${storage.size} = 0;`);
    code.line(
      `this.${storage.place} = wire.replacePacked(encoder, ${type}, values, count, this.${storage.place});`,
    );
    code.line(`this.${storage.size} = encoder.size;`);
  });
}

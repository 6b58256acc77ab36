/** The class that a message is built with: properties that feed hybrid pointers. */
import type { Printable } from '@bufbuild/protoplugin';
import { emitAccessors } from './builder-accessors.ts';
import { emitMeasure, inMarkedGroups } from './builder-measure.ts';
import { emitWrite } from './builder-write.ts';
import type { Code } from './code.ts';
import { propertyKey } from './code.ts';
import { docLines } from './comments.ts';
import { codec, type FieldModel, initType, plainType } from './field-model.ts';
import { isCollection, isMarked, isStaged, type MessageModel, numberName } from './message-model.ts';

export function emitBuilder(code: Code, model: MessageModel): void {
  const { builder, init } = model.names;
  emitInit(code, model);
  code.line();
  code.raw(docLines(model.desc, code.indent, [`message ${model.desc.typeName}: what is sent.`]));
  code.block([code.export('class', builder), ' implements wire.WireObject'], () => {
    emitState(code, model);
    emitConstructor(code, model);
    code.line();
    code.line('/** A message with these fields. Without an encoder it has one of its own. */');
    code.block([`static from(init: ${init}, encoder?: wire.Encoder): ${builder}`], () => {
      code.line(`const object = new ${builder}(encoder);`);
      code.line('try {');
      code.line('  return object.assign(init);');
      code.line('} catch (error) {');
      code.line('  object.$encoder.hasGarbage = true;');
      code.line('  throw error;');
      code.line('}');
    });
    code.line();
    code.line('/** Sets the fields that are there. */');
    const parameter = model.fields.length === 0 ? '_init' : 'init';
    code.block([`assign(${parameter}: ${init}): this`], () => {
      for (const { name } of model.fields)
        code.line(`if (${access('init', name)} !== undefined) this.${name} = ${access('init', name)};`);
      code.line('return this;');
    });
    emitAccessors(code, model);
    emitReset(code, model);
    emitKeep(code, model);
    emitMeasure(code, model);
    emitWrite(code, model);
    emitAdoption(code, model);
  });
}

function access(object: string, name: string): string {
  return `${object}.${name}`;
}

function emitInit(code: Code, model: MessageModel): void {
  const { builder, init } = model.names;
  code.line(`/** The fields of a {@link ${builder}}, all of them optional. */`);
  if (model.fields.length === 0) {
    code.line(code.export('type', init), ' = Readonly<Record<string, never>>;');
    return;
  }
  code.block([code.export('interface', init)], () => {
    for (const field of model.fields) {
      code.raw(docLines(field.desc, code.indent));
      code.line(`readonly ${propertyKey(field.name)}?: `, initType(field, model.types), ' | undefined;');
    }
  });
}

/** The class's fields; all of them are made in the constructor, so that all objects have one shape. */
function emitState(code: Code, model: MessageModel): void {
  code.line('readonly $encoder: wire.Encoder;');
  if (model.words.length === 1) code.line('$bits = 0;');
  else {
    for (const word of model.words) code.line(`$bits${word} = 0;`);
    code.line('$words = 1;');
  }
  code.line('$header = 0;');
  if (isMarked(model)) {
    code.line('/** Bits of the groups of fields of which any may be set. */');
    code.line('$marks = 0;');
  }
  if (model.fields.some(isStaged)) code.line('$generation = 0;');
  for (const { names, desc } of model.oneofs) {
    code.line(`/** Number of the field of \`${desc.name}\` that is set. */`);
    code.line(`${names.storage} = 0;`);
  }
  for (const field of model.fields) emitFieldState(code, model, field);
}

function emitFieldState(code: Code, model: MessageModel, field: FieldModel): void {
  const { storage, value } = field;
  if (field.shape !== 'single') {
    if (isStaged(field)) code.line(`${storage.size} = 0;`);
    if (isStaged(field)) code.line(`${storage.place} = 0;`);
    else code.line(`readonly ${storage.value}: `, collectionType(field, model), ';');
    return;
  }
  if (value.kind === 'message') {
    code.line(`${storage.value}: wire.WireObject | undefined = undefined;`);
  } else if (value.kind === 'data') {
    if (field.isOptional && field.oneof === undefined) code.line('/** -1: absent. */');
    code.line(`${storage.size} = ${emptySize(field)};`);
    code.line(`${storage.place} = 0;`);
  } else if (field.oneof !== undefined) {
    code.line(`${storage.value}: `, plainType(value, model.types), ` = ${value.number.zero};`);
  } else {
    const name = numberName(model, field);
    if (!isMarked(model)) code.raw(docLines(field.desc, code.indent));
    const type = plainType(value, model.types);
    if (field.isOptional) code.line(`${name}: `, type, ' | undefined = undefined;');
    else if (value.enum !== undefined) code.line(`${name}: `, type, ' = 0;');
    else code.line(`${name} = ${value.number.zero};`);
  }
}

/** What the size of a data field is when it is not set. */
export function emptySize(field: FieldModel): number {
  return field.isOptional && field.oneof === undefined ? -1 : 0;
}

/** The runtime's builder of a list or a map. */
export function collectionType(field: FieldModel, model: MessageModel): Printable {
  const { value } = field;
  const { types } = model;
  if (field.shape === 'list') {
    if (value.kind === 'message') return ['wire.MessageListBuilder<', types.builder(value.message), '>'];
    return ['wire.BytesListBuilder<', plainType(value, types), '>'];
  }
  const key = plainType(field.key!, types);
  if (value.kind === 'message')
    return ['wire.MessageMapBuilder<', key, ', ', types.builder(value.message), '>'];
  return ['wire.MapBuilder<', key, ', ', plainType(value, types), '>'];
}

function emitConstructor(code: Code, model: MessageModel): void {
  const { types } = model;
  code.line();
  code.block(['constructor(encoder: wire.Encoder = new wire.Encoder())'], () => {
    code.line('this.$encoder = encoder;');
    for (const field of model.fields) {
      if (field.shape === 'single' || isStaged(field)) continue;
      const { value, storage } = field;
      const make = value.kind === 'message' ? [types.builder(value.message), '.$create'] : [];
      if (field.shape === 'list') {
        if (value.kind === 'message')
          code.line(`this.${storage.value} = new wire.MessageListBuilder(encoder, `, ...make, ');');
        else code.line(`this.${storage.value} = new wire.BytesListBuilder(encoder);`);
      } else if (value.kind === 'message') {
        code.line(
          `this.${storage.value} = new wire.MessageMapBuilder(encoder, ${codec(field.key!)}, `,
          ...make,
          ');',
        );
      } else {
        const codecs = `${codec(field.key!)}, ${codec(value)}`;
        code.line(`this.${storage.value} = new wire.MapBuilder(encoder, ${codecs});`);
      }
    }
  });
}

function emitReset(code: Code, model: MessageModel): void {
  code.line();
  code.line('/** Begins another message: everything that this encoder holds is given back. */');
  code.block(['reset(): this'], () => {
    code.line('this.$encoder.reset();');
    code.line('this.$clear();');
    code.line('return this;');
  });
  code.line();
  code.block(['$clear(): void'], () => {
    if (model.fields.some(isStaged)) code.line('this.$generation = 0;');
    for (const { names } of model.oneofs) code.line(`this.${names.storage} = 0;`);
    if (isMarked(model)) {
      inMarkedGroups(code, model, (field) => emitClear(code, model, field));
      code.line('this.$marks = 0;');
    }
    for (const field of model.fields) {
      if (!isMarked(model) || isCollection(field)) emitClear(code, model, field);
    }
  });
}

function emitClear(code: Code, model: MessageModel, field: FieldModel): void {
  const { storage, value } = field;
  if (field.shape !== 'single') {
    code.line(isStaged(field) ? `this.${storage.size} = 0;` : `this.${storage.value}.clear();`);
  } else if (value.kind === 'message') {
    code.line(`this.${storage.value} = undefined;`);
  } else if (value.kind === 'data') {
    code.line(`this.${storage.size} = ${emptySize(field)};`);
  } else if (field.oneof === undefined) {
    code.line(`this.${numberName(model, field)} = ${field.isOptional ? 'undefined' : value.number.zero};`);
  }
}

/** What the message has staged, for when something of it was replaced. */
function emitKeep(code: Code, model: MessageModel): void {
  const fields = model.fields.filter((field) => isCollection(field) || isStaged(field) || isObject(field));
  code.line();
  code.block([`$keep(${fields.length === 0 ? '_live' : 'live'}: wire.LivePlaces): void`], () => {
    for (const field of fields) {
      const { storage, value } = field;
      if (isCollection(field)) code.line(`this.${storage.value}.keep(live);`);
      else if (isObject(field)) code.line(`this.${storage.value}?.$keep(live);`);
      else if (value.kind === 'number') {
        const type = JSON.stringify(value.number.name);
        code.line(`wire.keepPacked(live, ${type}, this.${storage.size}, this.${storage.place});`);
      } else code.line(`live.add(this.${storage.size}, this.${storage.place});`);
    }
  });
}

function isObject(field: FieldModel): boolean {
  return field.shape === 'single' && field.value.kind === 'message';
}

/** What messages that contain this one need of it. */
function emitAdoption(code: Code, model: MessageModel): void {
  const { builder, init, view } = model.names;
  code.line();
  code.block([`static $create(encoder: wire.Encoder): ${builder}`], () =>
    code.line(`return new ${builder}(encoder);`),
  );
  code.line();
  code.line('/** What a field of this type keeps of what it is set to. */');
  const type = `${builder} | ${view} | ${init}`;
  code.block([`static $adopt(encoder: wire.Encoder, value: ${type}): wire.WireObject`], () => {
    code.line(
      `if (value instanceof ${builder} || value instanceof ${view}) return wire.adopt(encoder, value);`,
    );
    code.line(`return ${builder}.from(value, encoder);`);
  });
}

/** `$measure`: which fields are present, and how long headers and lists will be. */
import type { Code } from './code.ts';
import type { FieldModel } from './field-model.ts';
import {
  bitsName,
  isCollection,
  isMarked,
  isStaged,
  type MessageModel,
  markOf,
  maskOf,
  numberName,
  type OneofModel,
  wordOf,
} from './message-model.ts';

export function emitMeasure(code: Code, model: MessageModel): void {
  const generation = model.fields.some(isStaged) ? 'this.$generation' : '0';
  const hasMore = model.fields.some(addsBytes);
  code.line();
  code.block(['$measure(depth: number): number'], () => {
    code.line(`this.$encoder.enter(depth, ${generation});`);
    if (model.fields.length === 0) {
      code.line('this.$header = 8;');
      code.line('return 8;');
      return;
    }
    for (const word of usedWords(model)) code.line(`let ${bitsName(model, word)} = 0;`);
    if (hasMore) code.line('let more = 0;');
    emitFields(code, model);
    emitHeader(code, model);
    code.line(hasMore ? 'return this.$header + more;' : 'return this.$header;');
  });
}

function emitFields(code: Code, model: MessageModel): void {
  if (!isMarked(model)) {
    for (const field of model.fields) emitField(code, model, field);
    return;
  }
  inMarkedGroups(code, model, (field) => emitField(code, model, field));
  for (const field of model.fields.filter(isCollection)) emitField(code, model, field);
}

/** Code for the fields that leave marks, which runs when a field of their group may be set. */
export function inMarkedGroups(code: Code, model: MessageModel, emit: (field: FieldModel) => void): void {
  code.line('const marks = this.$marks;');
  for (const group of model.groups) {
    const fields = group.filter((field) => !isCollection(field));
    if (fields.length === 0) continue;
    code.block([`if ((marks & ${markOf(model, fields[0]!)}) !== 0)`], () => fields.forEach(emit));
  }
}

/** The words that have fields; the first word may have none. */
function usedWords(model: MessageModel): readonly number[] {
  return model.words.filter((word) => model.fields.some((field) => wordOf(field) === word));
}

function emitHeader(code: Code, model: MessageModel): void {
  const words = usedWords(model);
  const fields = words.map((word) => `wire.popcount(${bitsName(model, word)})`).join(' + ');
  for (const word of words) code.line(`this.$${bitsName(model, word)} = ${bitsName(model, word)};`);
  if (model.words.length === 1) {
    code.line(`this.$header = 8 + ${fields} * 8;`);
    return;
  }
  code.line('// As many words as are needed, and an odd number of them, so that the entries are aligned.');
  const choices = words
    .filter((word) => word > 0)
    .reverse()
    .map((word) => `${bitsName(model, word)} !== 0 ? ${wordCount(word)} : `);
  code.line(`const words = ${choices.join('')}1;`);
  code.line('this.$words = words;');
  code.line(`this.$header = 4 + words * 4 + (${fields}) * 8;`);
}

/** Words of a bitmap whose last used one is `word`. */
export function wordCount(word: number): number {
  return (word + 1) | 1;
}

/** Whether a field has a list or an object behind the header. */
function addsBytes(field: FieldModel): boolean {
  return isCollection(field) || (field.shape === 'single' && field.value.kind === 'message');
}

function emitField(code: Code, model: MessageModel, field: FieldModel): void {
  const { storage } = field;
  const present = `${bitsName(model, wordOf(field))} |= ${maskOf(field)};`;
  const condition = isPresent(model, field);
  if (!addsBytes(field)) {
    code.line(`if (${condition}) ${present}`);
    return;
  }
  code.block([`if (${condition})`], () => {
    code.line(present);
    if (field.shape === 'single') {
      const bang = field.oneof === undefined ? '' : '!';
      code.line(`more += this.${storage.value}${bang}.$measure(depth + 1);`);
    } else if (field.value.kind === 'message') {
      const count = field.shape === 'list' ? 'length' : 'size';
      code.line(`const { items, ${count} } = this.${storage.value};`);
      code.line(field.shape === 'list' ? 'more += length * 8;' : `more += this.${storage.value}.measure();`);
      code.line(`for (let index = 0; index < ${count}; index++) more += items[index]!.$measure(depth + 1);`);
    } else {
      code.line(`more += this.${storage.value}.measure();`);
    }
  });
}

function isPresent(model: MessageModel, field: FieldModel): string {
  const { storage, value } = field;
  if (field.shape === 'map') return `this.${storage.value}.size !== 0`;
  if (field.shape === 'list')
    return isStaged(field) ? `this.${storage.size} !== 0` : `this.${storage.value}.length !== 0`;
  const oneof: OneofModel | undefined = model.oneofs.find(({ desc }) => desc === field.oneof);
  if (oneof !== undefined) return `this.${oneof.names.storage} === ${field.desc.number}`;
  if (value.kind === 'message') return `this.${storage.value} !== undefined`;
  if (value.kind === 'data') return `this.${storage.size} ${field.isOptional ? '>=' : '>'} 0`;
  const name = numberName(model, field);
  if (field.isOptional) return `this.${name} !== undefined`;
  if (value.number.name === 'bool') return `this.${name}`;
  // Minus zero is not the default.
  if (value.number.name === 'float' || value.number.name === 'double') return `!Object.is(this.${name}, 0)`;
  return `this.${name} !== ${value.number.zero}`;
}

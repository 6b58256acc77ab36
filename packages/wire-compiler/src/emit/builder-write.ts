/** `$write`: the header, field after field, and behind it the lists and objects. */
import { wordCount } from './builder-measure.ts';
import type { Code } from './code.ts';
import type { FieldModel } from './field-model.ts';
import {
  bitsName,
  hex,
  isCollection,
  isMarked,
  type MessageModel,
  maskOf,
  numberName,
  wordOf,
} from './message-model.ts';

export function emitWrite(code: Code, model: MessageModel): void {
  code.line();
  code.block(['$write(encoder: wire.Encoder): number'], () => {
    code.line('const at = encoder.take(this.$header);');
    code.line('const { view } = encoder;');
    if (model.words.length === 1) emitShortHeader(code, model);
    else emitLongHeader(code, model);
    for (const group of model.groups) {
      const emit = (): void => {
        for (const field of group) emitField(code, model, field, field === model.fields.at(-1));
      };
      if (isMarked(model)) code.block([`if (${hasAny(model, group)})`], emit);
      else emit();
    }
    code.line('return at;');
  });
}

/** Whether any field of a group is present. */
function hasAny(model: MessageModel, group: readonly FieldModel[]): string {
  const tests = model.words.map((word) => {
    const mask = group
      .filter((field) => wordOf(field) === word)
      .reduce((bits, field) => bits | (1 << (field.bit & 31)), 0);
    return mask === 0 ? [] : [`(${bitsName(model, word)} & ${hex(mask)}) !== 0`];
  });
  return tests.flat().join(' || ');
}

function emitShortHeader(code: Code, model: MessageModel): void {
  if (model.fields.length === 0) {
    code.line('view.setInt32(encoder.base + at, 1, true);');
    code.line('view.setInt32(encoder.base + at + 4, 0, true);');
    return;
  }
  code.line('const bits = this.$bits;');
  code.line(`${model.fields.length > 1 ? 'let' : 'const'} p = encoder.base + at + 8;`);
  code.line('view.setInt32(p - 8, 1, true);');
  code.line('view.setInt32(p - 4, bits, true);');
}

function emitLongHeader(code: Code, model: MessageModel): void {
  code.line('const start = encoder.base + at;');
  code.line('const words = this.$words;');
  for (const word of model.words) code.line(`const bits${word} = this.$bits${word};`);
  code.line('wire.putBitmap(view, start, words);');
  for (const word of model.words) {
    const put = `view.setInt32(start + ${4 + word * 4}, bits${word}, true);`;
    // The words of a shorter bitmap are zero, so none is written behind it.
    code.line(word === 0 ? put : `if (words >= ${wordCount(word)}) ${put}`);
  }
  code.line(`${model.fields.length > 1 ? 'let' : 'const'} p = start + 4 + words * 4;`);
}

function emitField(code: Code, model: MessageModel, field: FieldModel, isLast: boolean): void {
  const { storage } = field;
  const bits = bitsName(model, wordOf(field));
  code.block([`if ((${bits} & ${maskOf(field)}) !== 0)`], () => {
    if (isCollection(field)) emitCollection(code, field);
    else if (field.shape === 'list' || field.value.kind === 'data')
      code.line(`encoder.putPlace(p, this.${storage.size}, this.${storage.place});`);
    else if (field.value.kind === 'message')
      code.line(`wire.putObject(view, p, this.${storage.value}!.$write(encoder));`);
    else {
      const { title } = field.value.number;
      const bang = field.isOptional && field.oneof === undefined ? '!' : '';
      code.line(`wire.put${title}(view, p, this.${numberName(model, field)}${bang});`);
    }
    if (!isLast) code.line('p += 8;');
  });
}

function emitCollection(code: Code, field: FieldModel): void {
  const { storage } = field;
  if (field.value.kind !== 'message') {
    code.line(`this.${storage.value}.write(encoder, p);`);
    return;
  }
  const count = field.shape === 'list' ? 'length' : 'size';
  code.line(`const { items, ${count} } = this.${storage.value};`);
  code.line(`let entry = this.${storage.value}.write(encoder, p);`);
  const step = field.shape === 'list' ? 8 : 16;
  code.block([`for (let index = 0; index < ${count}; index++, entry += ${step})`], () =>
    code.line('wire.putObject(view, entry, items[index]!.$write(encoder));'),
  );
}

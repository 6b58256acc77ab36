/** An enum: a constant object of its numbers, and the open type of its values. */
import type { DescEnum } from '@bufbuild/protobuf';
import { type Code, propertyKey } from './code.ts';
import { docLines } from './comments.ts';

export function emitEnum(code: Code, type: DescEnum, name: string): void {
  code.line();
  code.raw(docLines(type, code.indent, [`enum ${type.typeName}`]));
  code.block(
    [code.export('const', name), ' ='],
    () => {
      for (const value of type.values) {
        code.raw(docLines(value, code.indent));
        code.line(`${propertyKey(value.name)}: ${value.number},`);
      }
    },
    '} as const;',
  );
  code.line('/** Open, as the enums of proto3 are: numbers of a newer schema come through. */');
  code.line('export type ', name, ` = (typeof ${name})[keyof typeof ${name}] | (number & {});`);
}

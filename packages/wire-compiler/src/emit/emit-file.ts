/** One generated file per schema: its enums, its messages, its services, its descriptor. */
import type { DescFile } from '@bufbuild/protobuf';
import type { Schema } from '@bufbuild/protoplugin';
import { Code } from './code.ts';
import { emitBuilder } from './emit-builder.ts';
import { emitEnum } from './emit-enum.ts';
import { emitFileSchema, emitMessageSchema } from './emit-schema.ts';
import { emitService } from './emit-service.ts';
import { emitView } from './emit-view.ts';
import { messageModel } from './message-model.ts';
import { allEnums, allMessages, TypeNames } from './type-names.ts';
import { typeReferences } from './type-references.ts';

/** `shop/order.proto` → `shop/order.larder`; the target adds `.ts`, or `.js` and `.d.ts`. */
function outputName(file: DescFile): string {
  return `${file.name}.larder`;
}

export function emitFile(schema: Schema, file: DescFile): void {
  const generated = schema.generateFile(`${outputName(file)}.ts`);
  generated.preamble(file);
  const code = new Code(generated);
  const names = TypeNames.of(file);
  const types = typeReferences(code, file);
  code.line('import * as wire from "@larder/wire";');
  for (const each of allEnums(file)) emitEnum(code, each, names.enum(each));
  for (const each of allMessages(file)) {
    const model = messageModel(each, names.message(each), types);
    code.line();
    emitBuilder(code, model);
    emitView(code, model);
    emitMessageSchema(code, model, file);
  }
  for (const each of file.services) emitService(code, each, names.service(each), types);
  emitFileSchema(code, file);
}

/**
 * Which of the files that a request asks for code is made of. Under `include_imports` buf asks for all imports, also
 * for those that are there for custom options only: descriptor.proto, and schemas that extend it, which may be proto2.
 * Nobody's data has their types, so they are passed over.
 */
import type { DescriptorProto, FileDescriptorProto } from '@bufbuild/protobuf/wkt';

/** protobuf's own proto2 files, which nobody writes, and which may be asked for alone. */
const OWN = /^google\/protobuf\//;

/** Those of `wanted` that are proto3, that nobody imports, or whose types others have. */
export function neededFiles(wanted: readonly string[], files: readonly FileDescriptorProto[]): string[] {
  const asked = files.filter(({ name }) => wanted.includes(name));
  const imported = new Set(files.flatMap(({ dependency }) => dependency));
  const used = new Set<string>();
  const names = new Set(
    asked
      .filter(({ name, syntax }) => syntax === 'proto3' || !(imported.has(name) || OWN.test(name)))
      .map(({ name }) => name),
  );
  for (const file of asked) {
    if (names.has(file.name)) for (const type of typesOf(file)) used.add(type);
  }
  for (const file of asked) {
    if (definedIn(file).some((type) => used.has(type))) names.add(file.name);
  }
  return wanted.filter((name) => names.has(name));
}

/** The types that a file's fields and methods have, with a dot in front. */
function typesOf(file: FileDescriptorProto): string[] {
  const ofMessage = (message: DescriptorProto): string[] => [
    ...message.field.map(({ typeName }) => typeName),
    ...message.nestedType.flatMap(ofMessage),
  ];
  const methods = file.service.flatMap(({ method }) => method);
  return [
    ...file.messageType.flatMap(ofMessage),
    ...methods.flatMap(({ inputType, outputType }) => [inputType, outputType]),
  ];
}

function definedIn(file: FileDescriptorProto): string[] {
  const prefix = file.package === '' ? '.' : `.${file.package}.`;
  const ofMessage = (scope: string, message: DescriptorProto): string[] => {
    const name = scope + message.name;
    return [
      name,
      ...message.enumType.map((each) => `${name}.${each.name}`),
      ...message.nestedType.flatMap((each) => ofMessage(`${name}.`, each)),
    ];
  };
  return [
    ...file.enumType.map(({ name }) => prefix + name),
    ...file.messageType.flatMap((each) => ofMessage(prefix, each)),
  ];
}

/** Where the parts of a descriptor stand in its file, from the source info that every compiler adds. */
import type { FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import type { SourcePlace } from '../errors.ts';

/** The place of the part at `path` (field numbers and indices of descriptor.proto in turn). */
export function placeOf(file: FileDescriptorProto, path: readonly number[]): SourcePlace {
  const key = path.join('.');
  const location = file.sourceCodeInfo?.location.find((each) => each.path.join('.') === key);
  const [line = 0, column = 0] = location?.span ?? [];
  return { file: file.name, line: line + 1, column: column + 1 };
}

/** Where the parts of a descriptor stand in its file, from the source info that every compiler adds. */
import type { FileDescriptorProto, SourceCodeInfo_Location } from '@bufbuild/protobuf/wkt';
import type { SourcePlace } from '../errors.ts';

/** The place of the part at `path` (field numbers and indices of descriptor.proto in turn). */
export function placeOf(file: FileDescriptorProto, path: readonly number[]): SourcePlace {
  const [line = 0, column = 0] = locationOf(file, path)?.span ?? [];
  return { file: file.name, line: line + 1, column: column + 1 };
}

/** Whether the file says where the part at `path` is. */
export function hasPlace(file: FileDescriptorProto, path: readonly number[]): boolean {
  return locationOf(file, path) !== undefined;
}

function locationOf(file: FileDescriptorProto, path: readonly number[]): SourceCodeInfo_Location | undefined {
  const key = path.join('.');
  return file.sourceCodeInfo?.location.find((each) => each.path.join('.') === key);
}

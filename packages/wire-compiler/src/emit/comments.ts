/** A schema's comments as doc comments. */
import type {
  DescEnum,
  DescEnumValue,
  DescField,
  DescMessage,
  DescMethod,
  DescOneof,
  DescService,
} from '@bufbuild/protobuf';
import { getComments } from '@bufbuild/protoplugin';

type Documented = DescMessage | DescField | DescOneof | DescEnum | DescEnumValue | DescService | DescMethod;

/**
 * The lines of a doc comment: what the schema says about the part, then `notes`. Empty when there is nothing
 * to say.
 */
export function docLines(part: Documented, indent: string, notes: readonly string[] = []): string[] {
  const { leading, trailing } = getComments(part);
  const paragraphs = [leading, trailing].filter((text) => text !== undefined).map(cleanLines);
  const deprecated = part.deprecated ? ['@deprecated'] : [];
  const blocks = [...paragraphs, [...notes], deprecated].filter((lines) => lines.length > 0);
  const lines = blocks.flatMap((block, index) => (index === 0 ? block : ['', ...block]));
  if (lines.length === 0) return [];
  if (lines.length === 1) return [`${indent}/** ${lines[0]} */`];
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`.trimEnd()), `${indent} */`];
}

/** Comment text without the space after the slashes, without empty edges, and unable to end the comment. */
function cleanLines(text: string): string[] {
  const lines = text
    .replaceAll('*/', '*\\/')
    .split('\n')
    .map((line) => line.replace(/^ /, '').trimEnd());
  // The first line of a block comment that starts with two asterisks still has the second one.
  if (lines[0]?.startsWith('*') === true && lines.length > 1) lines[0] = lines[0].slice(1).trim();
  while (lines[0] === '') lines.shift();
  while (lines.at(-1) === '') lines.pop();
  return lines;
}

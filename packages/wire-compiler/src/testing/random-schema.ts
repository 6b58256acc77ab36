/** Random proto3 schemas, as text. */
import fc from 'fast-check';

const SCALARS = [
  'double',
  'float',
  'int32',
  'int64',
  'uint32',
  'uint64',
  'sint32',
  'sint64',
  'fixed32',
  'fixed64',
  'sfixed32',
  'sfixed64',
  'bool',
  'string',
  'bytes',
];
const KEYS = SCALARS.filter((each) => each !== 'double' && each !== 'float' && each !== 'bytes');
const WIDE: ReadonlySet<string> = new Set(['int64', 'uint64', 'sint64', 'fixed64', 'sfixed64']);
const MESSAGES_MAX = 4;

interface RandomField {
  readonly label: 'single' | 'optional' | 'repeated' | 'map' | 'oneof';
  /** Index of a scalar, or above them of an enum or a message. */
  readonly type: number;
  readonly key: number;
  readonly step: number;
  readonly asNumber: boolean;
}

const field: fc.Arbitrary<RandomField> = fc.record({
  label: fc.constantFrom('single', 'optional', 'repeated', 'map', 'oneof'),
  type: fc.nat({ max: SCALARS.length + MESSAGES_MAX }),
  key: fc.nat({ max: KEYS.length - 1 }),
  // Mostly one after the other, sometimes far away.
  step: fc.oneof(
    { weight: 8, arbitrary: fc.constant(1) },
    { weight: 1, arbitrary: fc.integer({ min: 2, max: 90 }) },
  ),
  asNumber: fc.boolean(),
});

/** A file with an enum and some messages that refer to each other. */
export function randomSchema(): fc.Arbitrary<string> {
  return fc
    .tuple(fc.nat(), fc.array(fc.array(field, { maxLength: 24 }), { minLength: 1, maxLength: MESSAGES_MAX }))
    .map(([salt, messages]) => {
      const text = messages.map((fields, index) => messageText(index, fields, messages.length));
      const head = `syntax = "proto3";\npackage random.r${salt};\n`;
      return `${head}enum Kind { KIND_ZERO = 0; KIND_ONE = 1; KIND_FAR = -7; }\n${text.join('')}`;
    });
}

function messageText(index: number, fields: readonly RandomField[], count: number): string {
  let number = 0;
  const lines: string[] = [];
  const chosen: string[] = [];
  for (const [position, each] of fields.entries()) {
    number += each.step;
    const type = typeName(each.type, count);
    const option = WIDE.has(type) && each.asNumber && each.label !== 'map' ? ' [jstype = JS_NUMBER]' : '';
    const rest = `field_${position} = ${number}${option};`;
    if (each.label === 'oneof') chosen.push(`    ${type} ${rest}`);
    else if (each.label === 'map')
      lines.push(`  map<${KEYS[each.key]}, ${type}> field_${position} = ${number};`);
    else lines.push(`  ${each.label === 'single' ? '' : `${each.label} `}${type} ${rest}`);
  }
  const oneof = chosen.length === 0 ? '' : `  oneof choice {\n${chosen.join('\n')}\n  }\n`;
  return `message M${index} {\n${lines.join('\n')}\n${oneof}}\n`;
}

function typeName(type: number, messages: number): string {
  const scalar = SCALARS[type];
  if (scalar !== undefined) return scalar;
  return type === SCALARS.length ? 'Kind' : `M${(type - SCALARS.length - 1) % messages}`;
}

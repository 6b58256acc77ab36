/** The values of string and number tokens. */

const SIMPLE_ESCAPES: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '\\': 92,
  "'": 39,
  '"': 34,
  '?': 63,
};
const ESCAPE =
  /\\(?:[xX]([0-9a-fA-F]{1,2})|([0-7]{1,3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([abfnrtv\\'"?]))|(\\)|([^\\]+)/g;

/** The bytes that a string token stands for, or undefined when an escape is wrong. */
export function stringBytes(text: string): Uint8Array | undefined {
  const encoder = new TextEncoder();
  const bytes: number[] = [];
  for (const [, hex, octal, short, long, simple, wrong, plain] of text.slice(1, -1).matchAll(ESCAPE)) {
    if (wrong !== undefined) return undefined;
    if (plain !== undefined) bytes.push(...encoder.encode(plain));
    else if (hex !== undefined) bytes.push(Number.parseInt(hex, 16));
    else if (octal !== undefined) bytes.push(Number.parseInt(octal, 8) & 0xff);
    else if (simple !== undefined) bytes.push(SIMPLE_ESCAPES[simple] ?? 0);
    else {
      const point = Number.parseInt(short ?? long ?? '', 16);
      if (point > 0x10ffff) return undefined;
      bytes.push(...encoder.encode(String.fromCodePoint(point)));
    }
  }
  return Uint8Array.from(bytes);
}

/** The value of an integer token, decimal, octal or hexadecimal. */
export function integerValue(text: string): bigint {
  if (/^0[0-7]+$/.test(text)) return BigInt(`0o${text.slice(1)}`);
  return BigInt(text);
}

/**
 * A small writer of SVG: shapes and text with attributes, escaped, in the order in which they were added.
 */

export type Attributes = Readonly<Record<string, string | number>>;

const FONT = 'system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif';

export class Svg {
  readonly width: number;
  readonly height: number;
  readonly #parts: string[] = [];

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
  }

  rectangle(x: number, y: number, width: number, height: number, attributes: Attributes): void {
    this.#element('rect', { x, y, width, height, ...attributes });
  }

  line(x1: number, y1: number, x2: number, y2: number, attributes: Attributes): void {
    this.#element('line', { x1, y1, x2, y2, ...attributes });
  }

  /** A line through points. */
  path(points: readonly (readonly [x: number, y: number])[], attributes: Attributes): void {
    const steps = points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${short(x)} ${short(y)}`);
    this.#element('path', { d: steps.join(''), fill: 'none', ...attributes });
  }

  text(x: number, y: number, text: string, attributes: Attributes = {}): void {
    this.#element('text', { x, y, ...attributes }, text);
  }

  toString(): string {
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${this.width} ${this.height}" width="${this.width}" height="${this.height}" font-family="${escapeXml(FONT)}" font-size="12" fill="#1f2937">`,
      `<rect width="${this.width}" height="${this.height}" fill="#ffffff"/>`,
      ...this.#parts,
      '</svg>',
      '',
    ].join('\n');
  }

  #element(name: string, attributes: Attributes, content?: string): void {
    const list = Object.entries(attributes)
      .map(([key, value]) => ` ${key}="${typeof value === 'number' ? short(value) : escapeXml(value)}"`)
      .join('');
    this.#parts.push(
      content === undefined ? `<${name}${list}/>` : `<${name}${list}>${escapeXml(content)}</${name}>`,
    );
  }
}

function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

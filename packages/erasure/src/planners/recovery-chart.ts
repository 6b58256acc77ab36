/**
 * Line charts of the recovery evaluation, as SVG text.
 */

export interface ChartSeries {
  readonly label: string;
  readonly values: readonly (number | undefined)[];
  /** Dashed lines are what the paper reports, or bounds. */
  readonly dashed?: boolean;
}

export interface Chart {
  readonly title: string;
  readonly unit: string;
  readonly categoryLabel: string;
  readonly categories: readonly string[];
  readonly series: readonly ChartSeries[];
  readonly least?: number;
}

const WIDTH = 760;
const HEIGHT = 400;
const LEFT = 70;
const RIGHT = 200;
const TOP = 44;
const BOTTOM = 50;
const TICKS = 5;
const COLOURS = ['#2563eb', '#dc2626', '#16a34a', '#9333ea', '#ea580c', '#475569'];

export function chartSvg(chart: Chart): string {
  const present = chart.series.flatMap((series) => series.values.filter((value) => value !== undefined));
  const most = Math.max(...present) * 1.05;
  const least = chart.least ?? 0;
  const x = (i: number) => LEFT + ((i + 0.5) * (WIDTH - LEFT - RIGHT)) / chart.categories.length;
  const y = (value: number) => HEIGHT - BOTTOM - ((value - least) / (most - least)) * (HEIGHT - TOP - BOTTOM);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#1f2937">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(LEFT, 24, chart.title, 'font-size="15" font-weight="bold"'),
  ];
  for (let tick = 0; tick <= TICKS; tick++) {
    const value = least + ((most - least) * tick) / TICKS;
    parts.push(
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${fixed(y(value))}" y2="${fixed(y(value))}" stroke="#e5e7eb"/>`,
    );
    parts.push(
      text(LEFT - 8, y(value) + 4, most > 50 ? value.toFixed(0) : value.toFixed(1), 'text-anchor="end"'),
    );
  }
  for (const [i, category] of chart.categories.entries()) {
    parts.push(text(x(i), HEIGHT - BOTTOM + 18, category, 'text-anchor="middle"'));
  }
  parts.push(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, chart.categoryLabel, 'text-anchor="middle"'));
  parts.push(text(LEFT, TOP - 4, chart.unit, ''));
  for (const [i, series] of chart.series.entries()) parts.push(...line(series, i, x, y));
  return `${parts.join('\n')}\n</svg>\n`;
}

function line(
  series: ChartSeries,
  index: number,
  x: (i: number) => number,
  y: (value: number) => number,
): string[] {
  const colour = COLOURS[index % COLOURS.length]!;
  const points = series.values.flatMap((value, i) =>
    value === undefined ? [] : [`${fixed(x(i))},${fixed(y(value))}`],
  );
  const dash = series.dashed ? ' stroke-dasharray="5 4"' : '';
  const at = TOP + 16 + 20 * index;
  const key = WIDTH - RIGHT + 14;
  return [
    `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"${dash}/>`,
    ...(series.dashed
      ? []
      : points.map((point) => `<circle cx="${point.replace(',', '" cy="')}" r="3" fill="${colour}"/>`)),
    `<line x1="${key}" x2="${key + 22}" y1="${at - 4}" y2="${at - 4}" stroke="${colour}" stroke-width="2"${dash}/>`,
    text(key + 28, at, series.label, ''),
  ];
}

function text(x: number, y: number, content: string, attributes: string): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<text x="${fixed(x)}" y="${fixed(y)}" ${attributes}>${escaped}</text>`;
}

function fixed(value: number): string {
  return value.toFixed(1);
}

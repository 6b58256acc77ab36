/** Advice as a table for people. */
import { type FamilyAdvice, PoolVerdict } from './pool-advice.ts';

const UNITS: readonly string[] = ['', 'k', 'M', 'G', 'T'];
const VERDICTS: Readonly<Record<PoolVerdict, string>> = {
  replicate: 'replicate',
  regional: 'regional pool',
  own: 'own pool',
  stay: 'stay',
};

/** 458_000 is 458 k; three digits. */
function formatQuantity(quantity: number): string {
  let scaled = quantity;
  let unit = 0;
  while (scaled >= 999.5 && unit < UNITS.length - 1) {
    scaled /= 1000;
    unit++;
  }
  const digits = scaled >= 99.5 || (scaled === Math.floor(scaled) && unit === 0) ? 0 : scaled >= 9.95 ? 1 : 2;
  return unit === 0 ? scaled.toFixed(digits) : `${scaled.toFixed(digits)} ${UNITS[unit]}`;
}

/** Lines with a row per family and, below, what each recommendation saves and costs. */
export function formatAdvice(advice: readonly FamilyAdvice[]): string {
  const rows = [
    ['family', 'gets/s', 'hit rate', 'value p50', 'clients p50', 'keys', 'data set', 'keys/req ≤', 'advice'],
    ...advice.map((each) => [
      each.traffic.family,
      formatQuantity(each.getsPerSecond),
      `${(each.traffic.hitRate * 100).toFixed(1)}%`,
      `${formatQuantity(each.traffic.medianValueBytes)}B`,
      formatQuantity(each.traffic.medianClients),
      formatQuantity(each.traffic.keys),
      `${formatQuantity(each.datasetBytes)}B`,
      each.traffic.keysPerRequest.toFixed(1),
      VERDICTS[each.verdict],
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const last = widths.length - 1;
  const table = rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 || column === last ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  );
  return `${[...table, ...notesOf(advice)].join('\n')}\n`;
}

function notesOf(advice: readonly FamilyAdvice[]): string[] {
  const notes = advice
    .filter((each) => each.verdict !== PoolVerdict.stay)
    .map((each) => {
      const effect =
        each.verdict === PoolVerdict.regional
          ? `; saves ${formatQuantity(each.savedBytes)}B in the region, puts ` +
            `${formatQuantity(each.crossBytesPerSecond)}B/s between clusters`
          : '';
      return `${each.traffic.family}: ${VERDICTS[each.verdict]}: ${each.reason}${effect}`;
    });
  return notes.length === 0 ? ['', 'No family needs to be moved.'] : ['', ...notes];
}

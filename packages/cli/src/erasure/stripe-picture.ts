/**
 * A stripe drawn in characters: a column per node, a line per row.
 *
 *        D0 D1 D2 P0 P1
 *     0   ×  ●  ·  ●  ·      × lost   ● read   · not read; parities are ◆ when read, ◇ when not
 *     1   ×  ·  ●  ·  ◆
 */
import type { ErasureCode, RecoveryPlan } from '@larder/erasure';
import { PICTURE_NODES_MAX, PICTURE_ROWS_MAX } from './limits.ts';

/** Colours, or functions that add none. */
export interface PictureColors {
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly dim: (text: string) => string;
}

/** The lines, or one that says why there is no picture. */
export function drawStripe(made: RecoveryPlan, missing: readonly number[], colors: PictureColors): string {
  const { code } = made;
  if (code.nodes > PICTURE_NODES_MAX || code.rows > PICTURE_ROWS_MAX) {
    return `(a stripe of ${code.nodes} nodes with ${code.rows} symbols each is too large for a picture)\n`;
  }
  const width = Math.max(3, String(code.nodes - 1).length + 2);
  const [lost, reads, data] = [new Set(made.lost), new Set(made.reads), new Set(code.dataSymbols)];
  const cell = (node: number, row: number): string => {
    const symbol = node * code.rows + row;
    if (lost.has(symbol)) return colors.red('×'.padStart(width));
    if (reads.has(symbol)) return colors.green((data.has(symbol) ? '●' : '◆').padStart(width));
    if (missing.includes(node)) return colors.dim('-'.padStart(width));
    return colors.dim((data.has(symbol) ? '·' : '◇').padStart(width));
  };
  const nodes = Array.from({ length: code.nodes }, (_, node) => node);
  const margin = (text: string): string => text.padStart(6);
  const lines = [margin('') + nodes.map((node) => nodeName(code, node).padStart(width)).join('')];
  for (let row = 0; row < code.rows; row++) {
    lines.push(margin(String(row)) + nodes.map((node) => cell(node, row)).join(''));
  }
  lines.push(margin('reads') + made.readsPerNode.map((count) => String(count).padStart(width)).join(''));
  const legend = `${colors.red('×')} lost   ${colors.green('●')} data read   ${colors.green('◆')} parity read   · ◇ not read${missing.length > 0 ? '   - cannot be read' : ''}`;
  return `${lines.join('\n')}\n\n      ${legend}\n`;
}

/** D0, D1 …, then P0, P1 … for parity nodes; N0 … where parities lie among the data. */
function nodeName(code: ErasureCode, node: number): string {
  const dataNodes = new Set(Array.from(code.dataSymbols, (symbol) => Math.floor(symbol / code.rows)));
  if (dataNodes.size === code.nodes) return `N${node}`;
  return dataNodes.has(node) ? `D${node}` : `P${node - dataNodes.size}`;
}

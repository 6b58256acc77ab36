/** The state of everything that `larder up` runs: a line for each, drawn over themselves on a terminal. */
import { formatSize } from '@larder/host';
import picocolors from 'picocolors';
import { readStatistics } from './ask.ts';
import type { Cluster } from './cluster.ts';

const PERIOD_MS = 1_000;

interface Terminal {
  readonly columns?: number;
  write(text: string): unknown;
}

/** What one line shows. */
export interface PanelRow {
  readonly name: string;
  readonly address: string;
  readonly state: 'up' | 'down';
  /** Counters; undefined when it does not answer. */
  readonly gets: number;
  readonly hits: number;
  readonly requests: number;
  readonly items: number;
  readonly bytes: number;
}

const number = (value: number): string => value.toLocaleString('en-US');

/** `cache-1  127.0.0.1:11212  up    1,203 requests/s · 98.2% hits · 10,231 items · 12.3 MB` */
export function formatRow(row: PanelRow, before: PanelRow | undefined, seconds: number): string {
  const head = `${row.name.padEnd(8)} ${row.address.padEnd(16)} ${row.state.padEnd(5)}`;
  if (row.state === 'down') return `${head} its keys go to the gutter`;
  // A server that was started again counts from the beginning.
  const isFresh = before === undefined || before.requests > row.requests;
  const rate = Math.round((row.requests - (isFresh ? 0 : before.requests)) / seconds);
  const gets = row.gets - (isFresh ? 0 : before.gets);
  const hits = row.hits - (isFresh ? 0 : before.hits);
  const share = gets === 0 ? 'no gets' : `${((100 * hits) / gets).toFixed(1)}% hits`;
  const parts = [`${number(rate)} requests/s`];
  if (row.name !== 'router') {
    parts.push(share, `${number(row.items)} item${row.items === 1 ? '' : 's'}`, formatSize(row.bytes));
  }
  return `${head} ${parts.join(' · ')}`;
}

async function readRows(cluster: Cluster): Promise<PanelRow[]> {
  const general = cluster.router.statistics();
  const count = (name: string): number => Number(general.get(name) ?? 0);
  const commands = [
    'cmd_get',
    'cmd_set',
    'cmd_touch',
    'cmd_delete',
    'cmd_arithmetic',
    'cmd_lease',
    'cmd_meta',
  ];
  const router: PanelRow = {
    name: 'router',
    address: cluster.router.addresses[0]?.text ?? '',
    state: 'up',
    gets: 0,
    hits: 0,
    requests: commands.reduce((sum, name) => sum + count(name), 0),
    items: 0,
    bytes: 0,
  };
  const servers = cluster.servers.map(async ({ name, host, port, address }): Promise<PanelRow> => {
    const stats = await readStatistics(host, port);
    const read = (key: string): number => stats?.get(key) ?? 0;
    return {
      name,
      address,
      state: stats === undefined ? 'down' : 'up',
      gets: read('get_hits') + read('get_misses'),
      hits: read('get_hits'),
      requests: read('cmd_get') + read('cmd_set') + read('delete_hits') + read('delete_misses'),
      items: read('curr_items'),
      bytes: read('bytes'),
    };
  });
  return [router, ...(await Promise.all(servers))];
}

export class Panel {
  readonly #cluster: Cluster;
  readonly #terminal: Terminal;
  readonly #news: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #before: ReadonlyMap<string, PanelRow> = new Map();
  #beforeMs: number = performance.now();
  #linesDrawn = 0;
  #isStopped = false;

  constructor(cluster: Cluster, terminal: Terminal) {
    this.#cluster = cluster;
    this.#terminal = terminal;
  }

  start(): void {
    this.#terminal.write('\n');
    void this.#draw();
  }

  /** Shown above the lines with the next drawing. */
  tell(text: string): void {
    this.#news.push(text);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  async #draw(): Promise<void> {
    const rows = await readRows(this.#cluster);
    if (this.#isStopped) return;
    const nowMs = performance.now();
    const seconds = Math.max(0.001, (nowMs - this.#beforeMs) / 1000);
    const width = (this.#terminal.columns ?? 80) - 1;
    let text = this.#linesDrawn === 0 ? '' : `\x1b[${this.#linesDrawn}A\x1b[J`;
    for (const news of this.#news.splice(0)) text += `${news}\n`;
    for (const row of rows) {
      const line = formatRow(row, this.#before.get(row.name), seconds).slice(0, width);
      text += `${row.state === 'down' ? picocolors.red(line) : line}\n`;
    }
    this.#terminal.write(text);
    this.#linesDrawn = rows.length;
    this.#before = new Map(rows.map((row) => [row.name, row]));
    this.#beforeMs = nowMs;
    this.#timer = setTimeout(() => void this.#draw(), PERIOD_MS);
  }
}

/** One line of statistics on a terminal, drawn over itself once a second. */
import { formatSize, type RunningServer } from '@larder/server';

const PERIOD_MS = 1_000;
const CLEAR_LINE = '\r\x1b[2K';

/** Together they count every request once (meta commands count as what they do). */
const REQUEST_COUNTERS = [
  'cmd_get',
  'cmd_set',
  'cmd_touch',
  'cmd_flush',
  'delete_hits',
  'delete_misses',
  'incr_hits',
  'incr_misses',
  'decr_hits',
  'decr_misses',
  'lease_get_hits',
  'lease_get_tokens',
  'lease_get_hot',
  'lease_set_stored',
  'lease_set_stale',
  'lease_set_rejected',
];

interface Terminal {
  readonly columns?: number;
  write(text: string): unknown;
}

/** The numbers that the line shows, read twice to get rates. */
export interface LiveNumbers {
  readonly requests: number;
  readonly hits: number;
  readonly misses: number;
  readonly connections: number;
  readonly items: number;
  readonly bytes: number;
  readonly memoryBytes: number;
}

/** `12,345 requests/s · 98.2% hits · 3 connections · 10,231 items · 12.3 MB of 64 MB` */
export function formatLiveLine(now: LiveNumbers, before: LiveNumbers, seconds: number): string {
  const rate = Math.round((now.requests - before.requests) / seconds);
  const hits = now.hits - before.hits;
  const gets = hits + now.misses - before.misses;
  const number = (value: number) => value.toLocaleString('en-US');
  const parts = [
    `${number(rate)} requests/s`,
    gets === 0 ? 'no gets' : `${((100 * hits) / gets).toFixed(1)}% hits`,
    `${number(now.connections)} connection${now.connections === 1 ? '' : 's'}`,
    `${number(now.items)} item${now.items === 1 ? '' : 's'}`,
    `${formatSize(now.bytes)} of ${formatSize(now.memoryBytes)}`,
  ];
  return parts.join(' · ');
}

export class LiveLine {
  readonly #server: RunningServer;
  readonly #terminal: Terminal;
  #timer: NodeJS.Timeout | undefined;
  #before: LiveNumbers;
  #beforeMs: number;

  constructor(server: RunningServer, terminal: Terminal) {
    this.#server = server;
    this.#terminal = terminal;
    this.#before = liveNumbers(server);
    this.#beforeMs = performance.now();
  }

  start(): void {
    this.#terminal.write('\n');
    this.#timer = setInterval(() => this.#draw(), PERIOD_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #draw(): void {
    const now = liveNumbers(this.#server);
    const nowMs = performance.now();
    const line = formatLiveLine(now, this.#before, Math.max(0.001, (nowMs - this.#beforeMs) / 1000));
    this.#before = now;
    this.#beforeMs = nowMs;
    this.#terminal.write(CLEAR_LINE + line.slice(0, (this.#terminal.columns ?? 80) - 1));
  }
}

function liveNumbers(server: RunningServer): LiveNumbers {
  const general = server.statistics();
  const read = (name: string) => Number(general.get(name) ?? 0);
  return {
    requests: REQUEST_COUNTERS.reduce((sum, name) => sum + read(name), 0),
    hits: read('get_hits'),
    misses: read('get_misses'),
    connections: read('curr_connections'),
    items: read('curr_items'),
    bytes: read('bytes'),
    memoryBytes: read('limit_maxbytes'),
  };
}

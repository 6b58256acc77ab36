/** Prometheus metrics of a router: its counters, and every server's under its own label. */
import type { MetricsPage } from '@larder/host';
import { ReadMetrics } from '@larder/host/metrics';
import type { DestinationRow, RouteRow } from '../running-router.ts';
import { COUNTER_ROWS, type Row } from '../statistics/general-rows.ts';

export interface MetricsSource {
  readonly version: string;
  readonly transport: string;
  general(): readonly Row[];
  destinations(): readonly DestinationRow[];
  routes(): readonly RouteRow[];
}

const PREFIX = 'larder_router_';
/** Numbers that go up and down, or are not counted since the start. */
const GAUGES: ReadonlySet<string> = new Set([
  'uptime',
  'threads',
  'max_connections',
  'curr_connections',
  'requests_outstanding',
  'num_servers',
  'num_servers_up',
  'num_servers_down',
  'num_servers_new',
  'config_age',
  'spool_segments',
  'spool_entries',
  'spool_bytes',
  'spool_oldest_age',
]);
const COUNTED: ReadonlySet<string> = new Set([
  ...COUNTER_ROWS.map(([name]) => name),
  'total_connections',
  'rejected_connections',
  'bytes_read',
  'bytes_written',
]);

/** Columns of a server, by metric. */
const SERVER_COUNTERS = {
  server_requests_total: ['requests', 'Requests sent to the server.'],
  server_failures_total: ['failures', 'Requests that failed after they were sent.'],
  server_timeouts_total: ['timeouts', 'Requests that were not answered in time.'],
  server_refused_total: ['refused', 'Requests that were refused without being sent: server down, or busy.'],
  server_connects_total: ['connects', 'Connections opened.'],
  server_connect_failures_total: ['connectFailures', 'Connections that could not be opened.'],
  server_tkos_total: ['tkos', 'Times the server was given up.'],
  server_probes_total: ['probes', 'Probes sent while it was given up.'],
  server_malformed_total: ['malformed', 'Replies that were none.'],
  server_bytes_read_total: ['bytesRead', 'Bytes received from the server.'],
  server_bytes_written_total: ['bytesWritten', 'Bytes sent to the server.'],
} as const;

const SERVER_GAUGES = {
  server_up: [
    (row: DestinationRow) => (row.state === 'up' || row.state === 'new' ? 1 : 0),
    'Whether requests are sent to the server.',
  ],
  server_outstanding: [(row: DestinationRow) => row.outstanding, 'Requests that wait for a reply.'],
  server_latency_seconds: [
    (row: DestinationRow) => row.latencyMs / 1000,
    'Time from sending to reply, smoothed.',
  ],
} as const;

const ROUTE_COUNTERS = {
  route_requests_total: [(row: RouteRow) => row.requests, "Requests sent to the route's servers."],
  route_failures_total: [
    (row: RouteRow) => row.failures,
    "Requests to the route's servers that failed or were refused.",
  ],
} as const;

const ROUTE_GAUGES = {
  route_servers: [(row: RouteRow) => row.servers, 'Servers that the route chooses among.'],
  route_servers_up: [(row: RouteRow) => row.serversUp, 'Those of them that requests are sent to.'],
  route_latency_seconds: [(row: RouteRow) => row.latencyMs / 1000, 'Time to reply of its servers, smoothed.'],
} as const;

/** Metrics that read their numbers when they are scraped; `metrics()` of the result is the page. */
export function createMetrics(source: MetricsSource): MetricsPage {
  const metrics = new ReadMetrics();
  addGeneral(source, metrics);
  addServers(source, metrics);
  addRoutes(source, metrics);
  metrics.process(`${PREFIX}info`, { version: source.version, transport: source.transport });
  return metrics.registry;
}

function addGeneral(source: MetricsSource, metrics: ReadMetrics): void {
  const read = (name: string): number => Number(new Map(source.general()).get(name) ?? 0);
  const help = (name: string): string => `${name} of the router's stats.`;
  for (const name of COUNTED) {
    // Some of memcached's names say total already.
    metrics.counter(`${PREFIX}${name.replace(/^total_/, '')}_total`, help(name), () => read(name));
  }
  for (const name of GAUGES) metrics.gauge(PREFIX + name, help(name), () => read(name));
}

function addServers(source: MetricsSource, metrics: ReadMetrics): void {
  const rows = (value: (row: DestinationRow) => number) => () =>
    source.destinations().map((row) => [{ server: row.label }, value(row)] as const);
  for (const [name, [column, help]] of Object.entries(SERVER_COUNTERS)) {
    metrics.counters(
      PREFIX + name,
      help,
      ['server'],
      rows((row) => row[column]),
    );
  }
  for (const [name, [value, help]] of Object.entries(SERVER_GAUGES)) {
    metrics.gauges(PREFIX + name, help, ['server'], rows(value));
  }
}

/** Routes are named as `__mcrouter__.route_handles` names them. */
function addRoutes(source: MetricsSource, metrics: ReadMetrics): void {
  const rows = (value: (row: RouteRow) => number) => () =>
    source.routes().map((row) => [{ route: row.name }, value(row)] as const);
  for (const [name, [value, help]] of Object.entries(ROUTE_COUNTERS)) {
    metrics.counters(PREFIX + name, help, ['route'], rows(value));
  }
  for (const [name, [value, help]] of Object.entries(ROUTE_GAUGES)) {
    metrics.gauges(PREFIX + name, help, ['route'], rows(value));
  }
}

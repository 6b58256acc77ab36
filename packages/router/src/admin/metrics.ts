/** Prometheus metrics of a router: its counters, and every server's under its own label. */
import { Counter, Gauge, Registry } from 'prom-client';
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

/** A registry that reads its numbers when it is scraped. */
export function createMetrics(source: MetricsSource): Registry {
  const registry = new Registry();
  const registers = [registry];
  addGeneral(source, registers);
  for (const [name, [column, help]] of Object.entries(SERVER_COUNTERS)) {
    new Counter({
      name: PREFIX + name,
      help,
      labelNames: ['server'],
      registers,
      collect() {
        this.reset();
        for (const row of source.destinations()) this.inc({ server: row.label }, row[column]);
      },
    });
  }
  addServerGauge(source, registers, 'server_up', 'Whether requests are sent to the server.', (row) =>
    row.state === 'up' || row.state === 'new' ? 1 : 0,
  );
  addServerGauge(
    source,
    registers,
    'server_outstanding',
    'Requests that wait for a reply.',
    (row) => row.outstanding,
  );
  addServerGauge(
    source,
    registers,
    'server_latency_seconds',
    'Time from sending to reply, smoothed.',
    (row) => row.latencyMs / 1000,
  );
  addRoutes(source, registers);
  new Gauge({
    name: `${PREFIX}info`,
    help: 'Always 1; the labels say what runs.',
    labelNames: ['version', 'transport'],
    registers,
    collect() {
      this.set({ version: source.version, transport: source.transport }, 1);
    },
  });
  return registry;
}

function addGeneral(source: MetricsSource, registers: Registry[]): void {
  const read = (name: string): number => Number(new Map(source.general()).get(name) ?? 0);
  for (const name of COUNTED) {
    new Counter({
      // Some of memcached's names say total already.
      name: `${PREFIX}${name.replace(/^total_/, '')}_total`,
      help: `${name} of the router's stats.`,
      registers,
      collect() {
        this.reset();
        this.inc(read(name));
      },
    });
  }
  for (const name of GAUGES) {
    new Gauge({
      name: PREFIX + name,
      help: `${name} of the router's stats.`,
      registers,
      collect() {
        this.set(read(name));
      },
    });
  }
}

/** Routes are named as `__mcrouter__.route_handles` names them. */
function addRoutes(source: MetricsSource, registers: Registry[]): void {
  const counters = {
    route_requests_total: ['requests', "Requests sent to the route's servers."],
    route_failures_total: ['failures', "Requests to the route's servers that failed or were refused."],
  } as const;
  for (const [name, [column, help]] of Object.entries(counters)) {
    new Counter({
      name: PREFIX + name,
      help,
      labelNames: ['route'],
      registers,
      collect() {
        this.reset();
        for (const row of source.routes()) this.inc({ route: row.name }, row[column]);
      },
    });
  }
  const gauges = {
    route_servers: [(row: RouteRow) => row.servers, 'Servers that the route chooses among.'],
    route_servers_up: [(row: RouteRow) => row.serversUp, 'Those of them that requests are sent to.'],
    route_latency_seconds: [
      (row: RouteRow) => row.latencyMs / 1000,
      'Time to reply of its servers, smoothed.',
    ],
  } as const;
  for (const [name, [value, help]] of Object.entries(gauges)) {
    new Gauge({
      name: PREFIX + name,
      help,
      labelNames: ['route'],
      registers,
      collect() {
        this.reset();
        for (const row of source.routes()) this.set({ route: row.name }, value(row));
      },
    });
  }
}

function addServerGauge(
  source: MetricsSource,
  registers: Registry[],
  name: string,
  help: string,
  value: (row: DestinationRow) => number,
): void {
  new Gauge({
    name: PREFIX + name,
    help,
    labelNames: ['server'],
    registers,
    collect() {
      this.reset();
      for (const row of source.destinations()) this.set({ server: row.label }, value(row));
    },
  });
}

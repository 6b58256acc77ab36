/** The admin pages: `/metrics`, `/healthz`, `/stats.json`. Loaded by the first request for one of them. */
import { createServer, type Server } from 'node:http';
import { fastify } from 'fastify';
import { latencyQuantile } from '../statistics/latency-histogram.ts';
import { createMetrics, type MetricsSource } from './metrics.ts';

export interface AdminSource extends MetricsSource {
  /** Whether the server answers its clients; the text says why not. */
  health(): { readonly ok: boolean; readonly text: string };
  /** Everything `stats` and its arguments know, by section. */
  sections(): Record<string, ReadonlyMap<string, string | number | bigint>>;
}

export interface AdminPages {
  /** Answers connections that are given to it with `emit('connection', socket)`. */
  readonly http: Server;
  close(): Promise<void>;
}

export async function createAdminPages(source: AdminSource): Promise<AdminPages> {
  const http = createServer();
  const app = fastify({
    logger: false,
    forceCloseConnections: true,
    serverFactory: (handler) => {
      http.on('request', handler);
      return http;
    },
  });
  const metrics = createMetrics(source);
  app.get('/metrics', async (_request, reply) => {
    const text = await metrics.metrics();
    return reply.type(metrics.contentType).send(text);
  });
  app.get('/healthz', async (_request, reply) => {
    const { ok, text } = source.health();
    return reply
      .code(ok ? 200 : 503)
      .type('text/plain; charset=utf-8')
      .send(`${text}\n`);
  });
  app.get('/stats.json', async (_request, reply) => reply.send(statsDocument(source)));
  app.get('/', async (_request, reply) =>
    reply.type('text/plain; charset=utf-8').send('Larder: /metrics /healthz /stats.json\n'),
  );
  await app.ready();
  return { http, close: () => app.close() };
}

/** Sections as objects; 64-bit numbers that JSON cannot hold stay strings. */
function statsDocument(source: AdminSource): Record<string, unknown> {
  const document: Record<string, unknown> = { version: source.version, transport: source.transport };
  for (const [section, rows] of Object.entries(source.sections())) {
    document[section] = Object.fromEntries([...rows].map(([name, value]) => [name, jsonValue(value)]));
  }
  const latency: Record<string, unknown> = {};
  for (const [command, summary] of source.latencies()) {
    latency[command] = {
      sampled: summary.count,
      meanNanoseconds: Math.round(summary.sumNanoseconds / summary.count),
      p50Nanoseconds: latencyQuantile(summary, 0.5),
      p99Nanoseconds: latencyQuantile(summary, 0.99),
      p999Nanoseconds: latencyQuantile(summary, 0.999),
    };
  }
  document.latency = latency;
  return document;
}

function jsonValue(value: string | number | bigint): string | number {
  if (typeof value === 'bigint')
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value);
  if (typeof value === 'number' || !/^-?\d{1,15}$/.test(value)) return value;
  return Number(value);
}

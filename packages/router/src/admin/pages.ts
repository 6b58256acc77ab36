/** The admin pages: `/metrics`, `/healthz`, `/stats.json`. Loaded by the first request for one of them. */
import { createServer, type Server } from 'node:http';
import { fastify } from 'fastify';
import type { Row } from '../statistics/general-rows.ts';
import { createMetrics, type MetricsSource } from './metrics.ts';

export interface AdminSource extends MetricsSource {
  settings(): readonly Row[];
  /** Whether the router answers its clients; the text says why not. */
  health(): { readonly ok: boolean; readonly text: string };
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
  app.get('/stats.json', async (_request, reply) =>
    reply.send({
      version: source.version,
      transport: source.transport,
      general: Object.fromEntries(source.general()),
      settings: Object.fromEntries(source.settings()),
      routes: source.routes(),
      servers: source.destinations(),
    }),
  );
  app.get('/', async (_request, reply) =>
    reply.type('text/plain; charset=utf-8').send('Larder router: /metrics /healthz /stats.json\n'),
  );
  await app.ready();
  return { http, close: () => app.close() };
}

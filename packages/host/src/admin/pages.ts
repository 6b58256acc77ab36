/** The admin pages: `/metrics`, `/healthz`, `/stats.json`. Loaded by the first request for one of them. */
import { createServer, type Server } from 'node:http';
import { fastify } from 'fastify';

/** What the pages show of a process. */
export interface AdminSource {
  /** What it is called on the first page. */
  readonly title: string;
  /** Whether it answers its clients; the text says why not. */
  health(): { readonly ok: boolean; readonly text: string };
  /** The document of `/stats.json`. */
  statistics(): unknown;
  /** Called once, by the first request: metrics are not loaded before. */
  metrics(): Promise<MetricsPage>;
}

/** prom-client's registry, as far as the page needs it. */
export interface MetricsPage {
  readonly contentType: string;
  metrics(): Promise<string>;
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
  const metrics = await source.metrics();
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.metrics()),
  );
  app.get('/healthz', async (_request, reply) => {
    const { ok, text } = source.health();
    return reply
      .code(ok ? 200 : 503)
      .type('text/plain; charset=utf-8')
      .send(`${text}\n`);
  });
  app.get('/stats.json', async (_request, reply) => reply.send(source.statistics()));
  app.get('/', async (_request, reply) =>
    reply.type('text/plain; charset=utf-8').send(`${source.title}: /metrics /healthz /stats.json\n`),
  );
  await app.ready();
  return { http, close: () => app.close() };
}

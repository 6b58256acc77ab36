/** The session stores through express-session and @fastify/session themselves, over HTTP. */
import { strict as assert } from 'node:assert';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { test } from 'node:test';
import fastifyCookie from '@fastify/cookie';
import fastifySession from '@fastify/session';
import session from 'express-session';
import { fastify } from 'fastify';
import { Cache } from '../cache.ts';
import { eachServer } from '../testing/each-server.ts';
import { startServer } from '../testing/servers.ts';
import { LarderSessionStore as ExpressStore } from './express-session.ts';
import { LarderSessionStore as FastifyStore } from './fastify-session.ts';

declare module 'express-session' {
  interface SessionData {
    views?: number;
  }
}
declare module 'fastify' {
  interface Session {
    views?: number;
  }
}

const SECRET = 'a secret that is long enough for every one of them';

interface Visit {
  readonly status: number;
  readonly body: string;
  readonly cookie: string | undefined;
}

/** A server whose only page counts visits in the session. */
async function expressServer(store: ExpressStore, maxAge: number | undefined): Promise<Server> {
  const middleware = session({
    store,
    secret: SECRET,
    resave: false,
    saveUninitialized: false,
    rolling: true,
    cookie: maxAge === undefined ? {} : { maxAge },
  }) as unknown as (request: unknown, response: unknown, next: (error?: unknown) => void) => void;
  type WithSession = IncomingMessage & { session: session.Session & { views?: number } };
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    middleware(request, response, (error) => {
      if (error !== undefined) {
        // A session that cannot be saved is told after the page has been sent.
        if (!response.headersSent) response.writeHead(500).end(String(error));
        return;
      }
      const own = (request as WithSession).session;
      if (request.url === '/logout') own.destroy((failed) => response.end(failed ? 'failed' : 'bye'));
      else {
        own.views = (own.views ?? 0) + 1;
        response.end(String(own.views));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function visit(server: Server, path: string, cookie?: string): Promise<Visit> {
  const { port } = server.address() as { port: number };
  const headers: Record<string, string> = cookie === undefined ? {} : { cookie };
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
  const set = response.headers.get('set-cookie')?.split(';')[0];
  return { status: response.status, body: await response.text(), cookie: set ?? cookie };
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

eachServer((group) => {
  test('express-session: a session lasts over requests and over processes, and ends', async () => {
    await using cache = await group.connect();
    await using another = await group.connect();
    const one = await expressServer(new ExpressStore({ cache, prefix: 'express:' }), 60_000);
    const other = await expressServer(new ExpressStore({ cache: another, prefix: 'express:' }), 60_000);
    try {
      const first = await visit(one, '/');
      assert.equal(first.body, '1');
      assert.ok(first.cookie);
      assert.equal((await visit(one, '/', first.cookie)).body, '2');
      assert.equal((await visit(other, '/', first.cookie)).body, '3');
      assert.equal((await visit(one, '/')).body, '1', 'another visitor');
      assert.equal((await visit(one, '/logout', first.cookie)).body, 'bye');
      assert.equal((await visit(other, '/', first.cookie)).body, '1');
    } finally {
      await closed(one);
      await closed(other);
    }
  });

  test('express-session: the times of cookies are those of the items', async () => {
    await using cache = await group.connect();
    const store = new ExpressStore({ cache, prefix: 'times:', ttl: '1h' });
    const call = <T>(run: (callback: (error: unknown, value?: T) => void) => void): Promise<T | undefined> =>
      new Promise((resolve, reject) => run((error, value) => (error ? reject(error) : resolve(value))));
    const cookie = { originalMaxAge: null } as never;
    await call((done) => store.set('browser', { cookie }, done));
    assert.ok(await call((done) => store.get('browser', done)));
    const over = { cookie: { expires: new Date(Date.now() - 1000), originalMaxAge: 1 } as never };
    await call((done) => store.set('browser', over, done));
    assert.equal(await call((done) => store.get('browser', done)), null);
    await call((done) => store.destroy('browser', done));
  });

  test('@fastify/session: the same', async () => {
    await using cache = await group.connect();
    const app = fastify();
    app.register(fastifyCookie);
    const store = new FastifyStore({ cache, prefix: 'fastify:' });
    app.register(fastifySession, { secret: SECRET, store, cookie: { secure: false, maxAge: 60_000 } });
    app.get('/', (request) => {
      request.session.views = (request.session.views ?? 0) + 1;
      return String(request.session.views);
    });
    app.get('/logout', async (request) => {
      await request.session.destroy();
      return 'bye';
    });
    try {
      const first = await app.inject('/');
      const { name, value } = first.cookies[0]!;
      const cookies = { [name]: value };
      assert.equal(first.body, '1');
      assert.equal((await app.inject({ url: '/', cookies })).body, '2');
      assert.equal((await app.inject({ url: '/logout', cookies })).body, 'bye');
      assert.equal((await app.inject({ url: '/', cookies })).body, '1');
    } finally {
      await app.close();
    }
  });
});

test('trouble with the cache is an error of the request: nobody is logged out', async () => {
  const cacheServer = await startServer('larder');
  await using cache = await Cache.connect({ servers: cacheServer.address });
  const server = await expressServer(new ExpressStore({ cache }), undefined);
  try {
    const first = await visit(server, '/');
    assert.deepEqual([first.status, first.body], [200, '1']);
    await cacheServer.stop();
    const again = await visit(server, '/', first.cookie);
    assert.equal(again.status, 500);
    assert.equal(again.cookie, first.cookie, 'the session is not replaced by a new one');
  } finally {
    await closed(server);
    await cacheServer.stop();
  }
});

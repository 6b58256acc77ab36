/**
 * `larder up`: one cache server with good defaults, a banner that shows how to talk to it, and a live line of
 * statistics on a terminal.
 */
import { type RunningServer, ServerError, startServer } from '@larder/server';
import { banner } from '../banner.ts';
import { findFreePort } from '../free-port.ts';
import { LiveLine } from '../live-line.ts';
import { type ServerFlags, serverOptionsFrom } from '../server-flags.ts';
import { StopSignals } from './stop-on-signals.ts';

const HOST = '127.0.0.1';
const PORT = 11211;
const PORTS_TRIED_MAX = 100;

export async function up(flags: ServerFlags): Promise<void> {
  const options = serverOptionsFrom(flags);
  const signals = new StopSignals();
  const started = options.port === undefined ? await startOnFreePort(options) : await startServer(options);
  process.stdout.write(banner(started, { requestedPort: options.port ?? PORT }));
  const line = process.stdout.isTTY ? new LiveLine(started, process.stdout) : undefined;
  line?.start();
  signals.attach(started, () => {
    line?.stop();
    process.stdout.write('\nstopping\n');
  });
  process.exitCode = await started.closed;
  line?.stop();
}

async function startOnFreePort(options: Parameters<typeof startServer>[0]): Promise<RunningServer> {
  for (let port = PORT; port < PORT + PORTS_TRIED_MAX; port++) {
    port = await findFreePort(HOST, port, PORT + PORTS_TRIED_MAX - 1);
    try {
      return await startServer({ ...options, port });
    } catch (error) {
      // Somebody took the port between the look and the start, or its Unix-domain or admin address is in use.
      if (!(error instanceof ServerError && error.code === 'EADDRINUSE' && error.option === '-p/--port'))
        throw error;
    }
  }
  throw new ServerError(
    'EADDRINUSE',
    `ports ${PORT} to ${PORT + PORTS_TRIED_MAX - 1} are all in use on ${HOST}`,
  );
}

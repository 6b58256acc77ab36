/**
 * `larder up`: two cache servers, a gutter server and a router with good defaults, a banner that shows how to talk
 * to them, and their state on a terminal. With --kill or --start it talks to the one that runs in another terminal.
 */

import { HostError } from '@larder/host';
import { RouterError, type RouterOptions } from '@larder/router';
import { banner } from '../banner.ts';
import { findFreePort } from '../free-port.ts';
import { type ServerFlags, serverOptionsFrom } from '../server-flags.ts';
import { Cluster, type ClusterOptions } from '../up/cluster.ts';
import { askControl, listenForControl } from '../up/control.ts';
import { killAndShow } from '../up/demonstration.ts';
import { Panel } from '../up/panel.ts';
import { StopSignals } from './stop-on-signals.ts';

const HOST = '127.0.0.1';
const PORT = 11211;
const PORTS_TRIED_MAX = 100;
/** Small: there are three of them. */
const MEMORY_MEGABYTES = '32';

export interface UpFlags extends ServerFlags {
  kill?: string;
  start?: string;
}

export async function up(flags: UpFlags): Promise<void> {
  // Wrong values are told before anything starts.
  const options = serverOptionsFrom(flags);
  const { port } = options;
  if (port === 'off' || port === 0) {
    throw new HostError('OPTION', '-p/--port: larder up needs a port to listen on', {
      option: '-p/--port',
    });
  }
  const order =
    flags.kill !== undefined ? `kill ${flags.kill}` : flags.start !== undefined ? `start ${flags.start}` : '';
  if (order !== '') {
    process.stdout.write(`${await askControl(port, order)}\n`);
    return;
  }
  const signals = new StopSignals();
  let tell = (text: string): void => {
    process.stdout.write(`${text}\n`);
  };
  const onNews = (text: string): void => tell(text);
  const cluster = await startCluster(port, flags, options.threads, onNews);
  process.stdout.write(banner(cluster, { requestedPort: port ?? PORT }));
  const panel = process.stdout.isTTY ? new Panel(cluster, process.stdout) : undefined;
  if (panel !== undefined) tell = (text) => panel.tell(text);
  panel?.start();
  const control = await listenForControl(cluster.router.port, (line) => obey(cluster, line));
  const stop = async (reason = 'asked to'): Promise<void> => {
    panel?.stop();
    process.stdout.write('\nstopping\n');
    control.close();
    await cluster.stop(reason);
  };
  signals.attach({ stop });
  process.exitCode = await cluster.router.closed;
}

/** What --kill and --start ask for. */
async function obey(cluster: Cluster, line: string): Promise<string> {
  const [verb, name = ''] = line.split(' ');
  const server = cluster.find(name);
  if (server === undefined) {
    const names = cluster.servers.map((each) => each.name).join(', ');
    throw new Error(`there is no server ${JSON.stringify(name)}; there are ${names}`);
  }
  if (verb === 'start') {
    if (server.isRunning) return `${server.name} is running`;
    await cluster.revive(server);
    return `${server.name} is back`;
  }
  if (!server.isRunning)
    return `${server.name} is down already; larder up --start ${server.name} brings it back`;
  return killAndShow(cluster, server);
}

async function startCluster(
  wanted: number | undefined,
  flags: UpFlags,
  threads: number | undefined,
  onNews: (text: string) => void,
): Promise<Cluster> {
  const serverFlags = ['-t', '1', '-m', flags.memoryLimit ?? MEMORY_MEGABYTES];
  if (flags.maxItemSize !== undefined) serverFlags.push('-I', flags.maxItemSize);
  if (flags.transport !== undefined) serverFlags.push('--transport', flags.transport);
  const start = (port: number): Promise<Cluster> => {
    const options: ClusterOptions = {
      host: HOST,
      port,
      serverFlags,
      router: routerOptions(flags, threads),
      onNews,
    };
    return Cluster.start(options);
  };
  if (wanted !== undefined) return start(wanted);
  for (let port = PORT; port < PORT + PORTS_TRIED_MAX; port++) {
    port = await findFreePort(HOST, port, PORT + PORTS_TRIED_MAX - 1);
    try {
      return await start(port);
    } catch (error) {
      // Somebody took the port between the look and the start.
      if (!(error instanceof RouterError && error.code === 'EADDRINUSE' && error.option === '-p/--port'))
        throw error;
    }
  }
  throw new HostError(
    'EADDRINUSE',
    `ports ${PORT} to ${PORT + PORTS_TRIED_MAX - 1} are all in use on ${HOST}`,
  );
}

function routerOptions(flags: UpFlags, threads: number | undefined): Omit<RouterOptions, 'config'> {
  const { adminPort, connectionsMax, verbose } = serverOptionsFrom(flags);
  return {
    threads: threads ?? 1,
    ...(adminPort === undefined ? {} : { adminPort }),
    ...(connectionsMax === undefined ? {} : { connectionsMax }),
    ...(flags.transport === undefined ? {} : { transport: flags.transport }),
    // What servers come and go is told anyhow.
    ...(verbose === undefined ? { logTo: () => undefined } : { verbose }),
  };
}

/** `larder echo`: the echo server that serialization is measured with, and a load for it. */
import process from 'node:process';
import { type EchoLoadResult, runEchoLoad, startEchoServer } from '@larder/echo';
import {
  formatHostPort,
  formatSize,
  HostError,
  parseDecimal,
  parseInteger,
  parseListen,
  parseSize,
} from '@larder/host';
import type { EchoFlags } from '../echo-flags.ts';
import { StopSignals } from './stop-on-signals.ts';

const DEFAULT_HOST = '127.0.0.1';
/** Flags that say where to listen, and those that say what to send. */
const SERVER_FLAGS = { port: '-p/--port', host: '-l/--host' } as const;
const LOAD_FLAGS = {
  size: '--size',
  fields: '--fields',
  levels: '--levels',
  seconds: '--seconds',
  connections: '--connections',
  inFlight: '--in-flight',
  udp: '--udp',
  json: '--json',
} as const;

export async function echo(flags: EchoFlags): Promise<void> {
  if (flags.load === undefined) {
    refuse(flags, LOAD_FLAGS, 'is for --load');
    await serve(flags);
  } else {
    refuse(flags, SERVER_FLAGS, 'is for the server, not for --load');
    await load(flags.load, flags);
  }
}

function refuse(flags: EchoFlags, names: Readonly<Record<string, string>>, why: string): void {
  for (const [name, option] of Object.entries(names)) {
    if (flags[name as keyof EchoFlags] !== undefined)
      throw new HostError('OPTION', `${option} ${why}`, { option });
  }
}

async function serve(flags: EchoFlags): Promise<void> {
  const signals = new StopSignals();
  const host = flags.host ?? DEFAULT_HOST;
  const server = await startEchoServer({
    port: integer('-p/--port', flags.port) ?? 0,
    host,
    transport: flags.transport,
    serializer: flags.serializer,
  });
  process.stdout.write(
    `echoing ${server.codec} on ${formatHostPort(host, server.port)} (TCP and UDP, ${server.transport})\n`,
  );
  await new Promise<void>((resolve, reject) => {
    signals.attach({
      async stop() {
        await server.stop().then(resolve, reject);
      },
    });
  });
  process.stdout.write(`${server.echoed} messages echoed, ${server.refused} refused\n`);
}

async function load(target: string, flags: EchoFlags): Promise<void> {
  const [address, ...others] = parseListen('--load', target);
  if (address?.port === undefined || others.length > 0) {
    throw new HostError('OPTION', `--load: ${JSON.stringify(target)} is not one address with its port`, {
      option: '--load',
    });
  }
  const ended = new AbortController();
  new StopSignals().attach({
    async stop() {
      ended.abort();
    },
  });
  const result = await runEchoLoad({
    host: address.host,
    port: address.port,
    serializer: flags.serializer,
    transport: flags.transport,
    udp: flags.udp,
    fieldBytes: flags.size === undefined ? undefined : parseSize('--size', flags.size),
    fields: integer('--fields', flags.fields),
    levels: integer('--levels', flags.levels),
    seconds: flags.seconds === undefined ? undefined : parseDecimal('--seconds', flags.seconds),
    connections: integer('--connections', flags.connections),
    inFlight: integer('--in-flight', flags.inFlight),
    signal: ended.signal,
  });
  process.stdout.write(flags.json === true ? `${JSON.stringify(result, undefined, 2)}\n` : report(result));
  if (result.wrong > 0) process.exitCode = 1;
}

function integer(option: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseInteger(option, text);
}

function report(result: EchoLoadResult): string {
  const { latencyMs: latency, protocol, seconds } = result;
  const ms = (value: number): string => `${value.toFixed(3)} ms`;
  const thousands = (value: number): string => Math.round(value).toLocaleString('en-US');
  const lost = protocol === 'udp' ? `, ${thousands(result.lost)} lost` : '';
  const what = `${result.serializer}, messages of ${thousands(result.messageBytes)} bytes, ${protocol}, ${seconds.toFixed(1)} s`;
  return `${[
    what,
    `  requests/s   ${thousands(result.requestsPerSecond)}   (${formatSize(result.bytesPerSecond)}/s each way)`,
    `  latency      p50 ${ms(latency.p50)} · p90 ${ms(latency.p90)} · p99 ${ms(latency.p99)} · p99.9 ${ms(latency.p999)} · max ${ms(latency.max)}`,
    `  echoes       ${thousands(result.echoes)} right, ${thousands(result.wrong)} wrong${lost}`,
  ].join('\n')}\n`;
}

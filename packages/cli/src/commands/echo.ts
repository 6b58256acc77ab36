/** `larder echo`: the echo server that serialization is measured with. */
import process from 'node:process';
import { parseInteger } from '@larder/host';
import { startEchoServer } from '@larder/server';
import { StopSignals } from './stop-on-signals.ts';

export interface EchoFlags {
  readonly port?: string;
  readonly host?: string;
  readonly transport?: string;
}

export async function echo(flags: EchoFlags): Promise<void> {
  const signals = new StopSignals();
  const server = await startEchoServer({
    ...(flags.port === undefined ? {} : { port: parseInteger('-p/--port', flags.port) }),
    ...(flags.host === undefined ? {} : { host: flags.host }),
    transport: flags.transport,
  });
  const host = flags.host ?? '127.0.0.1';
  process.stdout.write(
    `echoing ${server.codec} on ${host}:${server.port} (TCP and UDP, ${server.transport})\n`,
  );
  await new Promise<void>((resolve, reject) => {
    signals.attach({
      async stop() {
        await server.stop().then(resolve, reject);
      },
    });
  });
  process.stdout.write(`${server.echoed} messages echoed\n`);
}

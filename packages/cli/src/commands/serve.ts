/** `larder serve`: only the server, for operators and supervisors. Everything it has to say goes to stderr. */
import { startServer } from '@larder/server';
import { type ServerFlags, serverOptionsFrom } from '../server-flags.ts';
import { StopSignals } from './stop-on-signals.ts';

export async function serve(flags: ServerFlags): Promise<void> {
  const signals = new StopSignals();
  const server = await startServer(serverOptionsFrom(flags));
  signals.attach(server);
  process.exitCode = await server.closed;
}

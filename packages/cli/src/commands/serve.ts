/** `larder serve`: only the server, for operators and supervisors. Everything it has to say goes to stderr. */
import { startServer } from '@larder/server';
import { type ServerFlags, serverOptionsFrom } from '../server-flags.ts';
import { StopSignals } from './stop-on-signals.ts';

export async function serve(flags: ServerFlags): Promise<void> {
  const signals = new StopSignals();
  const server = await startServer(serverOptionsFrom(flags));
  signals.attach(server);
  // Started by another process over a channel (`larder up`): it ends with that process.
  process.once('disconnect', () => void server.stop('the process that started it is gone'));
  process.exitCode = await server.closed;
}

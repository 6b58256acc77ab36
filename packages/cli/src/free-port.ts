/** Looks for a TCP port that nobody listens on. */
import { createServer } from 'node:net';
import { HostError } from '@larder/host';

/** Whether `host:port` can be bound now. */
export function isPortFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(error);
    });
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** The first free port from `first` to `last`. */
export async function findFreePort(host: string, first: number, last: number): Promise<number> {
  for (let port = first; port <= last; port++) {
    if (await isPortFree(host, port)) return port;
  }
  throw new HostError('EADDRINUSE', `ports ${first} to ${last} are all in use on ${host}`);
}

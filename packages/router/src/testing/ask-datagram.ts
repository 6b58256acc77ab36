/** Asks a router by UDP: one datagram there, one back, which must come from the address that was asked. */
import { createSocket } from 'node:dgram';

const WAIT_MS = 5_000;

/** The payload of the reply. */
export function askDatagram(host: string, port: number, request: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    const timer = setTimeout(() => socket.close(() => reject(new Error(`no reply from ${host}`))), WAIT_MS);
    socket.once('message', (message) => {
      clearTimeout(timer);
      socket.close(() => resolve(message.toString('latin1', 8)));
    });
    // A connected socket hears only whom it asks.
    socket.connect(port, host, () => {
      const payload = typeof request === 'string' ? Buffer.from(request, 'latin1') : request;
      socket.send(Buffer.concat([Buffer.of(0, 7, 0, 0, 0, 1, 0, 0), payload]));
    });
  });
}

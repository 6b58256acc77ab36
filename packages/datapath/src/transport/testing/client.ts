/** A peer for tests: a plain node:net socket with what it received. */
import * as net from 'node:net';
import type { ListeningSocket } from '../transport.ts';

export interface OpenedClient {
  readonly socket: net.Socket;
  /** Bytes received and not taken yet. */
  readonly received: number;
  /** Resolves when the server has ended its side. */
  readonly ended: Promise<void>;
  /** Waits for that many bytes and takes them. */
  take(bytes: number, timeoutSeconds?: number): Promise<Buffer>;
}

export function openClient(target: ListeningSocket): Promise<OpenedClient> {
  const { address, port } = target;
  const socket =
    address.kind === 'unix' ? net.connect({ path: address.path }) : net.connect({ host: address.host, port });
  const parts: Buffer[] = [];
  let received = 0;
  let changed: () => void = () => {};
  let hasEnded = false;
  socket.on('data', (part) => {
    parts.push(part);
    received += part.length;
    changed();
  });
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      hasEnded = true;
      changed();
      resolve();
    };
    socket.on('end', end).on('close', end);
  });

  async function take(bytes: number, timeoutSeconds = 10): Promise<Buffer> {
    socket.resume();
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      changed();
    }, timeoutSeconds * 1000);
    while (received < bytes && !hasEnded && !isLate) {
      await new Promise<void>((resolve) => {
        changed = resolve;
      });
    }
    clearTimeout(timer);
    if (received < bytes)
      throw new Error(`${received} of ${bytes} bytes came${hasEnded ? ', then the end' : ''}`);
    const all = Buffer.concat(parts);
    parts.length = 0;
    if (all.length > bytes) parts.push(all.subarray(bytes));
    received = all.length - bytes;
    return all.subarray(0, bytes);
  }

  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve({
        socket,
        ended,
        take,
        get received() {
          return received;
        },
      });
    });
  });
}

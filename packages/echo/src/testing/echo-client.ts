/** A client for tests: messages as bytes, over TCP and UDP, and what comes back for them. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { FRAGMENT_HEADER_BYTES, FRAME_HEADER_BYTES, Memory, Reassembler, StreamReader } from '@larder/wire';
import { fragmentsOf, putFragmentHeader } from '../server/fragments.ts';

const HOST = '127.0.0.1';
const TYPE = 7;
const WAIT_MS = 10_000;

function frame(id: number, message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + message.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, message.length, true);
  view.setUint32(4, TYPE, true);
  view.setUint32(8, id, true);
  bytes.set(message, FRAME_HEADER_BYTES);
  return bytes;
}

/** All messages at once on one connection; resolves with the answers when all are there, or the server closed it. */
export async function askStream(port: number, messages: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const answers: Uint8Array[] = [];
  const socket = connect(port, HOST);
  socket.setTimeout(WAIT_MS, () =>
    socket.destroy(new Error(`${answers.length} of ${messages.length} answers`)),
  );
  const reader = new StreamReader((message, type, id) => {
    if (type !== TYPE) socket.destroy(new Error(`an answer of type ${type}`));
    answers[id] = new Uint8Array(message.toUint8Array());
    if (answers.filter(() => true).length === messages.length) socket.end();
    return true;
  });
  socket.on('data', (chunk) => reader.push(chunk));
  for (const [id, message] of messages.entries()) socket.write(frame(id, message));
  await once(socket, 'close');
  return answers;
}

/** All messages at once; resolves when the last has its answer, whatever became of the others. */
export async function askDatagrams(port: number, messages: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const answers: Uint8Array[] = [];
  const socket = createSocket('udp4');
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const reassembler = new Reassembler<number>(
    (message, type, id) => {
      if (type !== TYPE) reject(new Error(`an answer of type ${type}`));
      answers[id] = new Uint8Array(message.toUint8Array());
      if (id === messages.length - 1) resolve();
    },
    { clock: () => performance.now() },
  );
  socket.on('message', (datagram) => {
    const start = datagram.byteOffset;
    reassembler.push(Memory.of(datagram), start, start + datagram.length, 0);
  });
  const timer = setTimeout(
    () => reject(new Error(`${answers.length} of ${messages.length} answers`)),
    WAIT_MS,
  );
  try {
    for (const [id, message] of messages.entries()) {
      const parts = fragmentsOf(message);
      for (const [index, part] of parts.entries()) {
        const datagram = new Uint8Array(FRAGMENT_HEADER_BYTES + part.length);
        const view = new DataView(datagram.buffer);
        putFragmentHeader(view, 0, id, TYPE, message.length, index, parts.length);
        datagram.set(part, FRAGMENT_HEADER_BYTES);
        await sendDatagram(socket, datagram, port);
      }
    }
    await promise;
  } finally {
    clearTimeout(timer);
    socket.close();
  }
  return answers;
}

/** Bytes as they are, in one datagram. */
export async function sendRaw(port: number, datagram: Uint8Array): Promise<void> {
  const socket = createSocket('udp4');
  await sendDatagram(socket, datagram, port);
  socket.close();
}

function sendDatagram(
  socket: ReturnType<typeof createSocket>,
  datagram: Uint8Array,
  port: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(datagram, port, HOST, (error) => (error === null ? resolve() : reject(error)));
  });
}

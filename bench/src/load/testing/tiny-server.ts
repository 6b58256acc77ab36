/**
 * A memcache server for tests of the load generator, in a worker thread: get and set over TCP, get over UDP.
 * `workerData` says what to do wrong.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

export interface TinyServerOptions {
  /** Answers gets of this key with a changed value. */
  readonly corruptKey?: string;
  /** Drops every n-th datagram. */
  readonly dropEvery?: number;
  /** Answers this many milliseconds late, once, after this many gets. */
  readonly pauseMs?: number;
  readonly pauseAfterGets?: number;
}

export interface TinyServerPorts {
  readonly tcp: number;
  readonly udp: number;
}

const LF = 10;
const FRAME_BYTES = 8;
/** Small, so that replies of several keys take several datagrams. */
const DATAGRAM_BYTES = 600;
const CRLF = Buffer.from('\r\n');

const options = workerData as TinyServerOptions;
const values = new Map<string, Buffer>();
let gets = 0;

function pauseWhenDue(): void {
  gets++;
  if (gets !== options.pauseAfterGets) return;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, options.pauseMs);
}

function answerGet(keys: readonly string[]): Buffer {
  const parts: Buffer[] = [];
  for (const key of keys) {
    pauseWhenDue();
    const value = values.get(key);
    if (value === undefined) continue;
    const sent = Buffer.from(value);
    if (key === options.corruptKey) sent[sent.length >> 1]! ^= 1;
    parts.push(Buffer.from(`VALUE ${key} 0 ${sent.length}\r\n`, 'latin1'), sent, CRLF);
  }
  return Buffer.concat([...parts, Buffer.from('END\r\n')]);
}

/** Answers what is complete in `input`; returns the answers and the rest. */
function answer(input: Buffer): { replies: Buffer[]; rest: Buffer } {
  const replies: Buffer[] = [];
  let rest = input;
  for (;;) {
    const lineEnd = rest.indexOf(LF);
    if (lineEnd === -1) return { replies, rest };
    const words = rest.toString('latin1', 0, lineEnd - 1).split(' ');
    let next = lineEnd + 1;
    if (words[0] === 'get') {
      replies.push(answerGet(words.slice(1)));
    } else if (words[0] === 'set') {
      const bytes = Number(words[4]);
      if (rest.length < next + bytes + 2) return { replies, rest };
      values.set(words[1]!, Buffer.from(rest.subarray(next, next + bytes)));
      replies.push(Buffer.from('STORED\r\n'));
      next += bytes + 2;
    } else {
      replies.push(Buffer.from('ERROR\r\n'));
    }
    rest = rest.subarray(next);
  }
}

const tcp = createServer((socket) => {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (data) => {
    const done = answer(Buffer.concat([rest, data as Buffer]));
    rest = done.rest;
    if (done.replies.length > 0) socket.write(Buffer.concat(done.replies));
  });
  socket.on('error', () => {
    socket.destroy();
  });
});

const udp = createSocket('udp4');
let datagrams = 0;
udp.on('message', (message, from) => {
  datagrams++;
  if (options.dropEvery !== undefined && datagrams % options.dropEvery === 0) return;
  const reply = Buffer.concat(answer(message.subarray(FRAME_BYTES)).replies);
  const total = Math.ceil(reply.length / DATAGRAM_BYTES);
  for (let sequence = 0; sequence < total; sequence++) {
    const frame = Buffer.alloc(FRAME_BYTES);
    frame.writeUInt16BE(message.readUInt16BE(0), 0);
    frame.writeUInt16BE(sequence, 2);
    frame.writeUInt16BE(total, 4);
    const part = reply.subarray(sequence * DATAGRAM_BYTES, (sequence + 1) * DATAGRAM_BYTES);
    udp.send(Buffer.concat([frame, part]), from.port, from.address);
  }
});

tcp.listen(0, '127.0.0.1', () => {
  udp.bind(0, '127.0.0.1', () => {
    const address = tcp.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    parentPort?.postMessage({ tcp: address.port, udp: udp.address().port } satisfies TinyServerPorts);
  });
});

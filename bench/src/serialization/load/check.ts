/** Asks one request after the other with Node's own sockets, and looks at every byte of the answers. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { BenchError } from '../../errors.ts';
import type { LoadTarget } from '../plan.ts';
import type { ReplyChecker } from '../requests/expected.ts';
import type { PremadeRequests } from '../requests/premade.ts';
import { FRAME_BYTES } from '../server/reply-output.ts';

const LOOPBACK = '127.0.0.1';
const ANSWER_MS_MAX = 2000;
const IN_FLIGHT_MAX = 8;

export async function checkReplies(
  target: LoadTarget,
  requests: PremadeRequests,
  memory: Buffer,
  checker: ReplyChecker,
  count: number,
): Promise<void> {
  const frameOf = (index: number): Buffer => {
    const start = requests.offsetOf(index);
    return memory.subarray(start, start + requests.bytesOf(index));
  };
  const total = Math.min(count, requests.count);
  const timer = setTimeout(() => {
    throw new BenchError('SERVER', `${target.serializer} does not answer over ${target.protocol}`);
  }, ANSWER_MS_MAX + total);
  if (target.protocol === 'tcp') await checkStream(target.port, total, frameOf, checker);
  else await checkDatagrams(target.port, total, frameOf, checker);
  clearTimeout(timer);
}

async function checkStream(
  port: number,
  total: number,
  frameOf: (index: number) => Buffer,
  checker: ReplyChecker,
): Promise<void> {
  const socket = connect(port, LOOPBACK);
  let received = Buffer.alloc(0);
  let asked = 0;
  let answered = 0;
  // Some in flight, so that replies also arrive joined and cut. A put goes alone: answers are compared with the
  // store as it is when they come.
  const mayAsk = (): boolean =>
    asked === answered ||
    (asked - answered < IN_FLIGHT_MAX && !checker.isPut(asked) && !checker.isPut(asked - 1));
  const ask = (): void => {
    while (asked < total && mayAsk()) socket.write(Buffer.from(frameOf(asked++)));
  };
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', () => reject(new BenchError('SERVER', 'closed the connection')));
    socket.on('connect', ask);
    socket.on('data', (data) => {
      received = Buffer.concat([received, data]);
      try {
        while (received.length >= FRAME_BYTES) {
          const bytes = FRAME_BYTES + received.readUInt32LE(0);
          if (received.length < bytes) break;
          checker.check(answered++, received.readUInt32LE(8), received.subarray(FRAME_BYTES, bytes));
          received = received.subarray(bytes);
        }
      } catch (error) {
        reject(error);
      }
      if (answered === total) resolve();
      else ask();
    });
  });
  socket.removeAllListeners('close');
  socket.destroy();
}

async function checkDatagrams(
  port: number,
  total: number,
  frameOf: (index: number) => Buffer,
  checker: ReplyChecker,
): Promise<void> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.connect(port, LOOPBACK, resolve));
  for (let index = 0; index < total; index++) {
    socket.send(Buffer.from(frameOf(index)));
    const [message] = (await once(socket, 'message')) as [Buffer];
    if (message.readUInt32LE(8) !== message.length - FRAME_BYTES) {
      throw new BenchError('REPLY', `reply ${index} has a wrong length`);
    }
    checker.check(index, message.readUInt32LE(0), message.subarray(FRAME_BYTES));
  }
  socket.close();
}

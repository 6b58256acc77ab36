/**
 * A datagram on loopback counts against its sender's buffer until it is read, and against its receiver's, so that
 * some tens of large ones fill the default buffers. Enlarged beyond the system's limit where that is allowed,
 * else up to it.
 */
import { DatapathError } from '@larder/datapath';
import { setSocketOption } from '@larder/datapath/internal';

const SOL_SOCKET = 1;
/** Options that may exceed the limit, and what is left without the right to. */
const SEND: readonly number[] = [32, 7];
const RECEIVE: readonly number[] = [33, 8];
const BYTES: number = 8 * 2 ** 20;

export function enlargeBuffers(descriptor: number): void {
  enlarge(descriptor, SEND);
  enlarge(descriptor, RECEIVE);
}

function enlarge(descriptor: number, options: readonly number[]): void {
  for (const option of options) {
    try {
      setSocketOption(descriptor, { level: SOL_SOCKET, option, name: 'buffer' }, BYTES);
      return;
    } catch (error) {
      if (!(error instanceof DatapathError)) throw error;
    }
  }
}

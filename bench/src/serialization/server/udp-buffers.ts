/**
 * A datagram on loopback counts against its sender's buffer until it is read, so that some tens of large replies
 * fill the default one. Enlarged beyond the system's limit where that is allowed, else up to it.
 */
import { DatapathError } from '@larder/datapath';
import { setSocketOption } from '@larder/datapath/internal';

const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_SNDBUFFORCE = 32;
const BYTES: number = 8 * 2 ** 20;

export function enlargeSendBuffer(descriptor: number): void {
  for (const option of [SO_SNDBUFFORCE, SO_SNDBUF]) {
    try {
      setSocketOption(descriptor, { level: SOL_SOCKET, option, name: 'send buffer' }, BYTES);
      return;
    } catch (error) {
      if (!(error instanceof DatapathError)) throw error;
    }
  }
}

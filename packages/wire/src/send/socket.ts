/** Lists from `serialize` over Node's own stream sockets: one `writev`, whatever the number of parts. */
import type { Writable } from 'node:stream';
import type { ScatterGatherList } from './serialize.ts';

/**
 * Writes all parts, corked, and releases the list when Node is through with them. Returns what the last `write`
 * returned: false means that the caller should wait for 'drain'.
 */
export function writeToSocket(
  socket: Writable,
  list: ScatterGatherList,
  done?: (error: Error | null | undefined) => void,
): boolean {
  const { parts } = list;
  let hasRoom = true;
  socket.cork();
  for (let index = 0; index < parts.length - 1; index++) socket.write(parts[index]!);
  hasRoom = socket.write(parts[parts.length - 1]!, (error) => {
    list.release();
    done?.(error);
  });
  socket.uncork();
  return hasRoom;
}

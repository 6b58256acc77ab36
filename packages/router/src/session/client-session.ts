/**
 * One client: where its bytes are read from and its replies go, and what is remembered between two deliveries.
 *
 * ```
 *   line ──storage command, long block──▶ collecting ──last byte──▶ line      the whole request in a buffer
 *     ├──refused storage──▶ swallowing ──────────────────────────▶ line      data block thrown away
 *     └──quit, error──────▶ ended                                             input ignored from now on
 * ```
 */
import type { Client } from '../forwarding/client.ts';
import type { CollectedStore } from './storage.ts';

export class ClientSession {
  readonly client: Client;
  /** Requests come in a datagram, into which each has to fit. */
  readonly isDatagram: boolean;
  /** Bytes of the unfinished line that are known to hold no newline. */
  searchedBytes = 0;
  /** Bytes still to be thrown away. */
  swallowBytes = 0;
  /** A storage command whose long data block is still arriving. */
  collecting: CollectedStore | undefined = undefined;
  hasEnded = false;

  constructor(client: Client, isDatagram: boolean) {
    this.client = client;
    this.isDatagram = isDatagram;
  }
}

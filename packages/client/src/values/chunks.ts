/**
 * Values that are larger than an item may be: split into parts under keys of their own, with a manifest under
 * the value's key.
 *
 * ```
 *   report           →  manifest  "1 Jd8s1xQa 3 2500000 9ae0daaf"     flags of the value + chunked
 *   report~Jd8s1xQa.0 …  part 0   1000000 bytes
 *   report~Jd8s1xQa.1 …  part 1   1000000 bytes
 *   report~Jd8s1xQa.2 …  part 2    500000 bytes
 *   manifest = version, id of this write, number of parts, bytes, CRC-32 of the whole
 * ```
 *
 * Parts are written before the manifest, and each write has its own id, so a reader sees either one whole value
 * or another one. A part that was evicted makes the value a miss. Deleting the key deletes the manifest; the
 * parts live on unseen until they expire or are evicted.
 */
import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { Operation, type Reply } from '@larder/routing';
import { CacheError, CacheErrorCode } from '../errors.ts';
import { chunkKeyBase } from '../keys.ts';
import { CHUNKS_MAX, VALUE_BYTES_MAX } from '../limits.ts';
import type { Sender } from '../send/sender.ts';
import { troubleOfReply } from '../send/trouble.ts';
import type { EncodedValue } from './codec.ts';
import { ValueFlag } from './flags.ts';

const MANIFEST = /^1 ([\w-]{8}) (\d{1,5}) (\d{1,10}) ([0-9a-f]{1,8})$/;
const ID_BYTES = 6;

function chunkKey(key: string, id: string, index: number): string {
  return `${chunkKeyBase(key)}~${id}.${index}`;
}

export class ChunkStore {
  readonly #sender: Sender;
  readonly #chunkBytes: number;

  constructor(sender: Sender, chunkBytes: number) {
    this.#sender = sender;
    this.#chunkBytes = chunkBytes;
  }

  /** Whether a value has to be split. */
  isLarge(value: EncodedValue): boolean {
    return value.bytes.length > this.#chunkBytes;
  }

  /** Stores the parts; what is returned is to be stored under the key. Rejects with the trouble of a part. */
  async split(key: string, value: EncodedValue, exptime: number): Promise<EncodedValue> {
    const { bytes } = value;
    const count = Math.ceil(bytes.length / this.#chunkBytes);
    if (count > CHUNKS_MAX) {
      throw new CacheError(
        CacheErrorCode.valueTooLarge,
        `the value would have ${count} parts, of ${CHUNKS_MAX}`,
      );
    }
    const id = randomBytes(ID_BYTES).toString('base64url');
    const replies: Promise<Reply>[] = [];
    for (let index = 0; index < count; index++) {
      const request = this.#sender.request(Operation.set, chunkKey(key, id, index));
      const part = bytes.subarray(index * this.#chunkBytes, (index + 1) * this.#chunkBytes);
      request.value = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
      request.flags = ValueFlag.bytes;
      request.exptime = exptime;
      replies.push(this.#sender.send(request));
    }
    for (const reply of await Promise.all(replies)) if (reply.isError) throw troubleOfReply(reply, key);
    const checksum = crc32(bytes).toString(16);
    const manifest = Buffer.from(`1 ${id} ${count} ${bytes.length} ${checksum}`, 'latin1');
    return { bytes: manifest, flags: (value.flags | ValueFlag.chunked) >>> 0 };
  }

  /** The whole value of a manifest. Rejects with DECODE when a part is missing or damaged. */
  async join(key: string, manifest: Buffer): Promise<Buffer> {
    const match = MANIFEST.exec(manifest.toString('latin1'));
    if (match === null) throw damaged('its manifest makes no sense');
    const [, id, count, bytes, checksum] = match;
    if (Number(bytes) > VALUE_BYTES_MAX) throw damaged('its manifest names more bytes than are possible');
    const replies: Promise<Reply>[] = [];
    for (let index = 0; index < Number(count); index++) {
      replies.push(this.#sender.send(this.#sender.request(Operation.get, chunkKey(key, id!, index))));
    }
    const parts: Buffer[] = [];
    for (const reply of await Promise.all(replies)) {
      if (reply.isError) throw troubleOfReply(reply, key);
      if (!reply.hasValue) throw damaged('a part of it is gone');
      parts.push(reply.value);
    }
    const whole = Buffer.concat(parts);
    if (whole.length !== Number(bytes) || crc32(whole) !== Number.parseInt(checksum!, 16)) {
      throw damaged('its parts do not fit together');
    }
    return whole;
  }
}

function damaged(what: string): CacheError {
  return new CacheError(CacheErrorCode.decode, `a split value cannot be read: ${what}`);
}

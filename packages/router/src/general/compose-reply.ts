/** Replies of route handles as bytes on the wire. */
import { isMeta, Operation, type Reply, type Request, Result } from '@larder/routing';
import { failureLine } from '../forwarding/failure-line.ts';

const CRLF: Buffer = Buffer.from('\r\n', 'latin1');

const WORDS: Readonly<Partial<Record<Result, string>>> = {
  [Result.miss]: 'NOT_FOUND',
  [Result.stored]: 'STORED',
  [Result.notStored]: 'NOT_STORED',
  [Result.exists]: 'EXISTS',
  [Result.staleStored]: 'STALE_STORED',
  [Result.deleted]: 'DELETED',
  [Result.touched]: 'TOUCHED',
  [Result.ok]: 'OK',
};

const META_WORDS: Readonly<Partial<Record<Result, string>>> = {
  [Result.stored]: 'HD',
  [Result.deleted]: 'HD',
  [Result.ok]: 'HD',
  [Result.notStored]: 'NS',
  [Result.exists]: 'EX',
};

/** The error line of a reply that is one (without its end). */
export function errorOf(reply: Reply): string {
  return failureLine(reply.result, reply.destination, reply.message);
}

/** One value of a get; `key` as the client wrote it. Nothing for a miss. */
export function composeValue(operation: Operation, key: Buffer, reply: Reply): readonly Buffer[] {
  if (reply.result !== Result.hit) return [];
  const withCas = operation === Operation.gets || operation === Operation.gats;
  const cas = withCas ? ` ${reply.cas}` : '';
  const head = `VALUE ${key.toString('latin1')} ${reply.flags} ${reply.valueBytes}${cas}\r\n`;
  return [Buffer.from(head, 'latin1'), reply.value, CRLF];
}

/** One key of a lease-get: every key is answered. */
export function composeLease(key: Buffer, reply: Reply, token: bigint): readonly Buffer[] {
  if (reply.result === Result.hit) return composeValue(Operation.leaseGet, key, reply);
  if (reply.result === Result.hotMiss && !reply.hasValue) return [Buffer.from('NOT_FOUND_HOT\r\n', 'latin1')];
  const head = `LVALUE ${key.toString('latin1')} ${token} ${reply.flags} ${reply.valueBytes}\r\n`;
  return [Buffer.from(head, 'latin1'), reply.value, CRLF];
}

/** The key of a meta command as the client wrote it. */
export interface WireKey {
  readonly text: string;
  /** It is base64. */
  readonly isBinary: boolean;
}

/** The reply to a request that is one line or one data block; `key` of a meta command. */
export function composeReply(request: Request, reply: Reply, key: WireKey | undefined): Buffer {
  if (reply.isError) return Buffer.from(`${errorOf(reply)}\r\n`, 'latin1');
  if (isMeta(request.operation)) return composeMeta(request, reply, key);
  if (reply.result === Result.number) return Buffer.from(`${reply.number}\r\n`, 'latin1');
  return Buffer.from(`${WORDS[reply.result] ?? 'NOT_FOUND'}\r\n`, 'latin1');
}

function composeMeta(request: Request, reply: Reply, key: WireKey | undefined): Buffer {
  const flags = reply.metaFlags.length === 0 ? '' : ` ${withKey(reply.metaFlags.toString('latin1'), key)}`;
  if (reply.hasValue || reply.result === Result.number) {
    const value = reply.hasValue ? reply.value : Buffer.from(String(reply.number), 'latin1');
    return Buffer.concat([Buffer.from(`VA ${value.length}${flags}\r\n`, 'latin1'), value, CRLF]);
  }
  return Buffer.from(`${metaWord(request.operation, reply.result)}${flags}\r\n`, 'latin1');
}

/** Return flags with the key as the client wrote it: with its routing prefix, or in base64. */
function withKey(flags: string, key: WireKey | undefined): string {
  if (key === undefined) return flags;
  return flags
    .split(' ')
    .filter((flag) => flag !== 'b')
    .map((flag) => (flag.startsWith('k') ? `k${key.text}${key.isBinary ? ' b' : ''}` : flag))
    .join(' ');
}

function metaWord(operation: Operation, result: Result): string {
  if (result === Result.hit) return 'HD';
  if (result === Result.miss) return operation === Operation.metaGet ? 'EN' : 'NF';
  return META_WORDS[result] ?? 'NF';
}

/**
 * The manifest of an encoded file: `NAME.larder.json` beside the shards.
 *
 * It says how the file was cut (code, symbol size, stripes), what every shard and the whole file must hash
 * to, and carries a checksum of itself. It is not trusted: everything in it is checked against the code, the
 * shards and the restored bytes.
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { createCode, type ErasureCode } from '@larder/erasure';
import { ErasureFileError, fileFailure } from './errors.ts';
import { MANIFEST_BYTES_MAX, STRIPE_BYTES_MAX, SYMBOL_BYTES_MAX, SYMBOL_STEP_BYTES } from './limits.ts';
import { SET_BYTES, SHARD_HEADER_BYTES } from './shard-header.ts';
import { whileOpen } from './while-open.ts';

export const MANIFEST_SUFFIX = '.larder.json';

const FORMAT = 'larder-erasure';
const VERSION = 1;
const SHA256 = /^[0-9a-f]{64}$/;

export interface ManifestShard {
  readonly node: number;
  /** A name without folders, beside the manifest. */
  readonly file: string;
  readonly sha256: string;
}

export interface Manifest {
  /** Name of the encoded file, without folders. */
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly set: string;
  readonly code: string;
  readonly parameters: Readonly<Record<string, number>>;
  readonly symbolBytes: number;
  readonly stripes: number;
  readonly shards: readonly ManifestShard[];
}

/** A manifest and the code that it names. */
export interface ReadManifest {
  readonly path: string;
  readonly manifest: Manifest;
  readonly code: ErasureCode;
}

/** Stripes that so many bytes take. */
export function stripesOf(code: ErasureCode, bytes: number, symbolBytes: number): number {
  return Math.ceil(bytes / (code.dataSymbols.length * symbolBytes));
}

/** Length of every shard file. */
export function shardFileBytes(code: ErasureCode, manifest: Manifest): number {
  return SHARD_HEADER_BYTES + manifest.stripes * code.rows * manifest.symbolBytes;
}

export function composeManifest(manifest: Manifest): string {
  const body = { format: FORMAT, version: VERSION, ...manifest };
  return `${JSON.stringify({ ...body, checksum: checksumOf(body) }, undefined, 2)}\n`;
}

function checksumOf(body: object): string {
  return createHash('sha256').update(JSON.stringify(body)).digest('hex');
}

export async function readManifest(path: string): Promise<ReadManifest> {
  const refuse = (reason: string): ErasureFileError => new ErasureFileError('MANIFEST', `${path}: ${reason}`);
  const text = await readText(path, refuse);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refuse('is not a manifest (not JSON)');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse('is not a manifest');
  const { checksum, ...body } = value as Record<string, unknown>;
  if (body.format !== FORMAT) throw refuse(`is not a manifest (format is not "${FORMAT}")`);
  if (body.version !== VERSION) {
    throw refuse(`has version ${String(body.version)}, this program reads ${VERSION}`);
  }
  if (checksum !== checksumOf(body)) throw refuse('is damaged: its checksum does not match its content');
  const manifest = checkFields(body, refuse);
  return { path, manifest, code: checkCode(manifest, refuse) };
}

async function readText(path: string, refuse: (reason: string) => ErasureFileError): Promise<string> {
  try {
    return await whileOpen(await open(path, 'r'), async (file) => {
      const { size } = await file.stat();
      if (size > MANIFEST_BYTES_MAX) {
        throw refuse(`has ${size} bytes; manifests have at most ${MANIFEST_BYTES_MAX}`);
      }
      return file.readFile('utf8');
    });
  } catch (error) {
    throw fileFailure(path, 'read the manifest', error);
  }
}

type Refuse = (reason: string) => ErasureFileError;

/** Types and ranges of every field; relations between them are checked with the code. */
function checkFields(body: Record<string, unknown>, refuse: Refuse): Manifest {
  const text = (key: string, pattern: RegExp, what: string): string => {
    const value = body[key];
    if (typeof value !== 'string' || !pattern.test(value)) throw refuse(`"${key}" is not ${what}`);
    return value;
  };
  const count = (key: string, most: number): number => {
    const value = body[key];
    if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > most) {
      throw refuse(`"${key}" is not a whole number up to ${most}`);
    }
    return value as number;
  };
  const { parameters, shards } = body;
  const isNumbers = (each: unknown): each is Record<string, number> =>
    typeof each === 'object' &&
    each !== null &&
    Object.values(each).every((value) => Number.isInteger(value));
  if (!isNumbers(parameters)) throw refuse('"parameters" is not an object of numbers');
  if (!Array.isArray(shards)) throw refuse('"shards" is not a list');
  const manifest: Manifest = {
    file: plainName(body.file, '"file"', refuse),
    bytes: count('bytes', Number.MAX_SAFE_INTEGER),
    sha256: text('sha256', SHA256, 'a SHA-256'),
    set: text('set', new RegExp(`^[0-9a-f]{${2 * SET_BYTES}}$`), 'the number of a set'),
    code: text('code', /^[a-z0-9-]{1,32}$/, 'the name of a code'),
    parameters,
    symbolBytes: count('symbolBytes', SYMBOL_BYTES_MAX),
    stripes: count('stripes', Number.MAX_SAFE_INTEGER),
    shards: shards.map((each, i) => checkShard(each, i, refuse)),
  };
  if (manifest.symbolBytes < SYMBOL_STEP_BYTES || manifest.symbolBytes % SYMBOL_STEP_BYTES !== 0) {
    throw refuse(`"symbolBytes" is not a multiple of ${SYMBOL_STEP_BYTES}`);
  }
  const names = new Set(manifest.shards.map((shard) => shard.file));
  if (names.size !== manifest.shards.length || names.has(manifest.file)) throw refuse('names a file twice');
  return manifest;
}

function checkShard(value: unknown, index: number, refuse: Refuse): ManifestShard {
  const { node, file, sha256 } = (value ?? {}) as Record<string, unknown>;
  if (node !== index) throw refuse(`shard ${index} is not the one of node ${index}`);
  if (typeof sha256 !== 'string' || !SHA256.test(sha256)) throw refuse(`shard ${index} has no SHA-256`);
  return { node: index, file: plainName(file, `"file" of shard ${index}`, refuse), sha256 };
}

/** A manifest must not reach outside of its folder. */
function plainName(value: unknown, what: string, refuse: Refuse): string {
  const isPlain =
    typeof value === 'string' &&
    value !== '' &&
    value !== '.' &&
    value !== '..' &&
    value === basename(value) &&
    !value.includes('\\') &&
    !value.includes('\0');
  if (!isPlain) throw refuse(`${what} is not a plain file name`);
  return value as string;
}

function checkCode(manifest: Manifest, refuse: Refuse): ErasureCode {
  let code: ErasureCode;
  try {
    code = createCode(manifest.code, manifest.parameters);
  } catch (error) {
    throw refuse(`names no legal code: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (manifest.shards.length !== code.nodes) {
    throw refuse(`${code.id} has ${code.nodes} shards, but ${manifest.shards.length} are listed`);
  }
  if (code.symbolCount * manifest.symbolBytes > STRIPE_BYTES_MAX) {
    throw refuse(`a stripe of ${code.id} with symbols of ${manifest.symbolBytes} bytes is too large`);
  }
  const stripes = stripesOf(code, manifest.bytes, manifest.symbolBytes);
  if (manifest.stripes !== stripes) {
    throw refuse(`${manifest.bytes} bytes are ${stripes} stripes, not ${manifest.stripes}`);
  }
  return code;
}

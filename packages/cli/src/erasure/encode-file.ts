/**
 * Cuts a file into one shard per node and writes the manifest.
 *
 *   file ──▶ stripe in kernel memory ──▶ parities ──▶ NAME.00.shard … NAME.13.shard ──▶ NAME.larder.json
 *
 * One stripe is in memory at a time, so the file may be of any size. The manifest gets its name last: a set
 * with a manifest is whole.
 */
import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type ErasureCode, encode } from '@larder/erasure';
import { ErasureFileError, fileFailure } from './errors.ts';
import {
  STRIPE_BYTES_MAX,
  STRIPE_BYTES_WANTED,
  SYMBOL_BYTES,
  SYMBOL_BYTES_MAX,
  SYMBOL_STEP_BYTES,
} from './limits.ts';
import { composeManifest, MANIFEST_SUFFIX, type Manifest, stripesOf } from './manifest.ts';
import { Progress } from './progress.ts';
import { composeShardHeader, SET_BYTES, SHARD_HEADER_BYTES } from './shard-header.ts';
import { readFully, StripeBuffer, writeFully } from './stripe-buffer.ts';
import { TemporaryFiles } from './temporary-files.ts';
import { whileOpen } from './while-open.ts';

export interface EncodeOptions {
  readonly code: ErasureCode;
  /** Folder of the shards and the manifest; the file's own unless given. */
  readonly folder?: string;
  readonly symbolBytes?: number;
  readonly isForced: boolean;
}

export interface Encoded {
  readonly manifestPath: string;
  readonly manifest: Manifest;
}

export async function encodeFile(path: string, options: EncodeOptions): Promise<Encoded> {
  const folder = options.folder ?? dirname(path);
  return whileOpen(await openSource(path), async (source) => {
    await mkdir(folder, { recursive: true }).catch((error: unknown) => {
      throw fileFailure(folder, 'make the folder', error);
    });
    return whileOpen(new TemporaryFiles(options.isForced), (files) =>
      encodeInto(files, folder, source, path, options),
    );
  });
}

async function encodeInto(
  files: TemporaryFiles,
  folder: string,
  source: FileHandle,
  path: string,
  options: EncodeOptions,
): Promise<Encoded> {
  const { code } = options;
  const { size: bytes, mtimeMs } = await source.stat();
  const symbolBytes = chooseSymbolBytes(code, bytes, options.symbolBytes);
  const file = basename(resolve(path));
  const set = randomBytes(SET_BYTES).toString('hex');
  const names = shardNames(file, code.nodes);
  const manifestPath = join(folder, `${file}${MANIFEST_SUFFIX}`);
  const targets: FileHandle[] = [];
  for (const name of names) targets.push(await files.create(join(folder, name)));
  const manifestFile = await files.create(manifestPath);
  const writer = new ShardWriter(targets, set);
  const stripes = stripesOf(code, bytes, symbolBytes);
  const progress = new Progress(`encoding ${file}`, bytes);
  let sha256: string;
  try {
    await writer.begin();
    sha256 = await encodeStripes(source, path, bytes, new StripeBuffer(code, symbolBytes), writer, progress);
  } catch (error) {
    throw fileFailure(path, 'encode', error);
  } finally {
    progress.stop();
  }
  const after = await source.stat();
  if (after.size !== bytes || after.mtimeMs !== mtimeMs) {
    throw new ErasureFileError('FILE', `${path} changed while it was read`);
  }
  const digests = writer.digests();
  const shards = names.map((name, node) => ({ node, file: name, sha256: digests[node]! }));
  const { name, parameters } = code;
  const manifest: Manifest = {
    file,
    bytes,
    sha256,
    set,
    code: name,
    parameters,
    symbolBytes,
    stripes,
    shards,
  };
  await manifestFile.writeFile(composeManifest(manifest));
  await files.commit();
  return { manifestPath, manifest };
}

/** Reads, encodes and writes stripe by stripe; returns the file's SHA-256. */
async function encodeStripes(
  source: FileHandle,
  path: string,
  bytes: number,
  stripe: StripeBuffer,
  writer: ShardWriter,
  progress: Progress,
): Promise<string> {
  const fileHash = createHash('sha256');
  for (let start = 0; start < bytes; start += stripe.dataBytes) {
    const wanted = Math.min(stripe.dataBytes, bytes - start);
    let position = start;
    for (const run of stripe.dataRuns(wanted)) {
      const read = await readFully(source, run, position);
      if (read < run.length) throw new ErasureFileError('FILE', `${path} became shorter while it was read`);
      fileHash.update(run);
      position += read;
    }
    stripe.clearDataAfter(wanted);
    encode(stripe.code, stripe.shards);
    await writer.append(stripe.shards);
    progress.add(wanted);
  }
  return fileHash.digest('hex');
}

async function openSource(path: string): Promise<FileHandle> {
  try {
    const source = await open(path, 'r');
    if ((await source.stat()).isFile()) return source;
    await source.close();
  } catch (error) {
    throw fileFailure(path, 'read', error);
  }
  throw new ErasureFileError('FILE', `${path} is not a regular file`);
}

export function shardNames(file: string, nodes: number): string[] {
  const digits = Math.max(2, String(nodes - 1).length);
  return Array.from({ length: nodes }, (_, node) => `${file}.${String(node).padStart(digits, '0')}.shard`);
}

/** As asked for; otherwise as large as is good for the kernels and small enough for the file. */
export function chooseSymbolBytes(code: ErasureCode, fileBytes: number, wanted: number | undefined): number {
  const whole = (bytes: number): number => Math.ceil(bytes / SYMBOL_STEP_BYTES) * SYMBOL_STEP_BYTES;
  if (wanted !== undefined) {
    if (wanted < SYMBOL_STEP_BYTES || wanted > SYMBOL_BYTES_MAX || wanted % SYMBOL_STEP_BYTES !== 0) {
      throw new ErasureFileError(
        'OPTION',
        `--symbol is a multiple of ${SYMBOL_STEP_BYTES} bytes up to ${SYMBOL_BYTES_MAX}, not ${wanted}`,
      );
    }
    if (wanted * code.symbolCount > STRIPE_BYTES_MAX) {
      throw new ErasureFileError(
        'OPTION',
        `--symbol ${wanted}: a stripe of ${code.id} would take ${wanted * code.symbolCount} bytes of memory, at most ${STRIPE_BYTES_MAX} are allowed`,
      );
    }
    return wanted;
  }
  const forStripe =
    Math.floor(STRIPE_BYTES_WANTED / code.symbolCount / SYMBOL_STEP_BYTES) * SYMBOL_STEP_BYTES;
  const forFile = whole(fileBytes / code.dataSymbols.length);
  return Math.max(SYMBOL_STEP_BYTES, Math.min(SYMBOL_BYTES, forStripe, forFile));
}

/** Appends stripes to shard files and hashes what it writes. */
export class ShardWriter {
  readonly #files: readonly FileHandle[];
  readonly #set: string;
  readonly #nodes: readonly number[];
  readonly #hashes = new Map<number, ReturnType<typeof createHash>>();
  #position = SHARD_HEADER_BYTES;

  /** One file for each of the nodes (0, 1, … unless given). */
  constructor(files: readonly FileHandle[], set: string, nodes?: readonly number[]) {
    this.#files = files;
    this.#set = set;
    this.#nodes = nodes ?? files.map((_, node) => node);
  }

  async begin(): Promise<void> {
    for (const [i, node] of this.#nodes.entries()) {
      const header = composeShardHeader({ node, set: this.#set });
      this.#hashes.set(node, createHash('sha256').update(header));
      await writeFully(this.#files[i]!, header, 0);
    }
  }

  /** Writes what the nodes hold of a stripe. */
  async append(shards: readonly Uint8Array<ArrayBuffer>[]): Promise<void> {
    const position = this.#position;
    const writes = this.#nodes.map((node, i) => writeFully(this.#files[i]!, shards[node]!, position));
    for (const node of this.#nodes) this.#hashes.get(node)!.update(shards[node]!);
    await Promise.all(writes);
    this.#position += shards[0]?.length ?? 0;
  }

  /** SHA-256 of each file, in the order of the nodes. */
  digests(): string[] {
    return this.#nodes.map((node) => this.#hashes.get(node)!.digest('hex'));
  }
}

/**
 * Restores a file from what is left of its shards, and lost shards where that is asked for.
 *
 * One pass: the shards that are needed are read stripe by stripe, hashed whole, what is lost is rebuilt, and
 * the bytes go to a temporary file. Only when every shard that was read and the whole file hash to what the
 * manifest says does the file get its name. If a shard turns out to be damaged it counts as lost from then on
 * and the pass begins again: each time with one shard fewer, so it ends.
 */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { executePlan, plan, type RecoveryPlan, UndecodableError } from '@larder/erasure';
import { ShardWriter } from './encode-file.ts';
import { ErasureFileError, fileFailure } from './errors.ts';
import type { Manifest, ReadManifest } from './manifest.ts';
import { Progress } from './progress.ts';
import { SHARD_HEADER_BYTES } from './shard-header.ts';
import { type Damage, hashShards, ShardSet } from './shard-set.ts';
import { readFully, StripeBuffer, writeFully } from './stripe-buffer.ts';
import { TemporaryFiles } from './temporary-files.ts';
import { whileOpen } from './while-open.ts';

export interface DecodeOptions {
  /** Path of the restored file; beside the manifest unless given. */
  readonly target?: string;
  readonly isForced: boolean;
  /** Also write the shards that are missing or damaged. */
  readonly isRepair: boolean;
}

export interface Decoded {
  readonly target: string;
  readonly bytes: number;
  /** What was lost, and why. */
  readonly damages: readonly Damage[];
  readonly notes: readonly string[];
  /** Shards that were written anew. */
  readonly repaired: readonly string[];
}

export async function decodeFile(read: ReadManifest, options: DecodeOptions): Promise<Decoded> {
  const target = options.target ?? join(dirname(read.path), read.manifest.file);
  return whileOpen(await ShardSet.open(read), async (set) => {
    // Restoring reads no more shards than it needs; repairing has to know about all of them.
    if (options.isRepair) await hashShards(read, set);
    for (;;) {
      const result = await whileOpen(new TemporaryFiles(options.isForced), (files) =>
        // Replacing lost shards is what --repair asks for; other files stay.
        whileOpen(new TemporaryFiles(true), (shardFiles) =>
          tryDecode(read, set, target, options.isRepair, files, shardFiles),
        ),
      );
      if (result) return result;
    }
  });
}

/** One pass; undefined when a shard turned out to be damaged. */
async function tryDecode(
  read: ReadManifest,
  set: ShardSet,
  target: string,
  isRepair: boolean,
  files: TemporaryFiles,
  shardFiles: TemporaryFiles,
): Promise<Decoded | undefined> {
  const { manifest } = read;
  const lost = isRepair ? set.damages.map((damage) => damage.node) : [];
  const recovery = planRecovery(read, set, isRepair);
  const output = await files.create(target);
  const repaired = lost.map((node) => shardPath(read, set, node));
  const handles: FileHandle[] = [];
  for (const path of repaired) handles.push(await shardFiles.create(path));
  const writer = new ShardWriter(handles, manifest.set, lost);
  const pass = new Pass(read, set, nodesToRead(read, set, recovery), recovery);
  const progress = new Progress(`restoring ${manifest.file}`, manifest.bytes);
  let sha256: string | undefined;
  try {
    await writer.begin();
    await pass.begin();
    sha256 = await restoreStripes(manifest, pass, output, writer, progress);
  } catch (error) {
    throw fileFailure(target, 'restore', error);
  } finally {
    progress.stop();
  }
  if (sha256 === undefined || !(await pass.checkDigests())) return undefined;
  const isShardWrong = writer.digests().some((digest, i) => digest !== manifest.shards[lost[i]!]!.sha256);
  if (sha256 !== manifest.sha256 || isShardWrong) {
    throw new ErasureFileError(
      'MISMATCH',
      `${read.path}: the shards that were read are as the manifest says, but what they restore is not: the manifest is wrong. Nothing was written`,
    );
  }
  await files.commit();
  await shardFiles.commit();
  return { target, bytes: manifest.bytes, damages: set.damages, notes: set.notes, repaired };
}

/** Where a lost shard is written anew; not over another shard that is there under its name. */
function shardPath(read: ReadManifest, set: ShardSet, node: number): string {
  const path = join(dirname(read.path), read.manifest.shards[node]!.file);
  const other = set.found.find((shard) => shard.path === path);
  if (!other) return path;
  throw new ErasureFileError(
    'EXISTS',
    `${path} is in truth shard ${other.node}: rename it before shard ${node} is repaired`,
  );
}

/** The file's bytes go to `output`, lost shards to the writer; the file's SHA-256, or undefined to begin again. */
async function restoreStripes(
  manifest: Manifest,
  pass: Pass,
  output: FileHandle,
  writer: ShardWriter,
  progress: Progress,
): Promise<string | undefined> {
  const fileHash = createHash('sha256');
  for (let index = 0; index < manifest.stripes; index++) {
    const stripe = await pass.next();
    if (!stripe) return undefined;
    const start = index * stripe.dataBytes;
    const wanted = Math.min(stripe.dataBytes, manifest.bytes - start);
    let position = start;
    for (const run of stripe.dataRuns(wanted)) {
      fileHash.update(run);
      await writeFully(output, run, position);
      position += run.length;
    }
    await writer.append(stripe.shards);
    progress.add(wanted);
  }
  return fileHash.digest('hex');
}

/** How to rebuild the lost data (or all that is lost); undefined when nothing has to be. */
function planRecovery(read: ReadManifest, set: ShardSet, isRepair: boolean): RecoveryPlan | undefined {
  const { manifest, code } = read;
  const lost = set.damages.map((damage) => damage.node);
  const holdsData = new Set(Array.from(code.dataSymbols, (symbol) => Math.floor(symbol / code.rows)));
  const lostNodes = isRepair ? lost : lost.filter((node) => holdsData.has(node));
  if (lostNodes.length === 0) return undefined;
  try {
    return plan({ code, lostNodes, missingNodes: lost, strategy: 'conventional' });
  } catch (error) {
    // An empty file is all there is to know, whatever is left of its shards.
    if (manifest.bytes === 0) return undefined;
    if (!(error instanceof UndecodableError)) throw error;
    const list = set.damages.map(({ node, path, reason }) => `\n  shard ${node} (${path}): ${reason}`);
    throw new ErasureFileError(
      'LOST',
      `${manifest.file} cannot be restored: ${lost.length} of ${code.nodes} shards are lost, ${code.id} rebuilds any ${code.tolerance}${list.join('')}`,
      { cause: error },
    );
  }
}

/** Nodes with data that are left, and those that the plan reads. */
function nodesToRead(read: ReadManifest, set: ShardSet, recovery: RecoveryPlan | undefined): number[] {
  const { code, manifest } = read;
  if (manifest.stripes === 0) return [];
  const lost = set.damages.map((damage) => damage.node);
  const needed = new Set(Array.from(code.dataSymbols, (symbol) => Math.floor(symbol / code.rows)));
  for (const [node, reads] of (recovery?.readsPerNode ?? []).entries()) if (reads > 0) needed.add(node);
  return [...needed].filter((node) => !lost.includes(node)).sort((a, b) => a - b);
}

/** Reads the needed shards stripe by stripe, rebuilds what is lost, and hashes what it read. */
class Pass {
  readonly #set: ShardSet;
  readonly #nodes: readonly number[];
  readonly #recovery: RecoveryPlan | undefined;
  readonly #stripe: StripeBuffer;
  readonly #hashes = new Map<number, ReturnType<typeof createHash>>();
  #position = SHARD_HEADER_BYTES;

  constructor(
    read: ReadManifest,
    set: ShardSet,
    nodes: readonly number[],
    recovery: RecoveryPlan | undefined,
  ) {
    this.#set = set;
    this.#nodes = nodes;
    this.#recovery = recovery;
    this.#stripe = new StripeBuffer(read.code, read.manifest.symbolBytes);
  }

  async begin(): Promise<void> {
    const header = Buffer.alloc(SHARD_HEADER_BYTES);
    for (const node of this.#nodes) {
      await readFully(this.#set.shard(node)!.file, header, 0);
      this.#hashes.set(node, createHash('sha256').update(header));
    }
  }

  /** The next stripe, valid until the one after; undefined when a shard ended before its time. */
  async next(): Promise<StripeBuffer | undefined> {
    const { shards } = this.#stripe;
    const position = this.#position;
    const reads = await Promise.all(
      this.#nodes.map((node) => readFully(this.#set.shard(node)!.file, shards[node]!, position)),
    );
    for (const [i, node] of this.#nodes.entries()) {
      if (reads[i] !== shards[node]!.length) {
        await this.#set.reject(node, 'it became shorter while it was read');
        return undefined;
      }
      this.#hashes.get(node)!.update(shards[node]!);
    }
    if (this.#recovery) executePlan(this.#recovery, shards);
    this.#position += shards[0]!.length;
    return this.#stripe;
  }

  /** Whether every shard that was read is the manifest's; those that are not are rejected. */
  async checkDigests(): Promise<boolean> {
    let isRight = true;
    for (const [node, hash] of this.#hashes) {
      if (!(await this.#set.checkDigest(node, hash.digest('hex')))) isRight = false;
    }
    return isRight;
  }
}

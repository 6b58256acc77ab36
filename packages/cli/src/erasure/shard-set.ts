/**
 * The shards of a set as they are found: which files are there, and which node each really is.
 *
 * A shard is known by its header, not by its name, so shards whose names were mixed up within a set are sorted
 * out; one of another set is named as such. Whether its content is right shows only when it is hashed.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileFailure } from './errors.ts';
import { type ReadManifest, shardFileBytes } from './manifest.ts';
import { Progress } from './progress.ts';
import { parseShardHeader, SHARD_HEADER_BYTES } from './shard-header.ts';
import { readFully } from './stripe-buffer.ts';

export interface FoundShard {
  readonly node: number;
  readonly path: string;
  readonly file: FileHandle;
}

export interface Damage {
  readonly node: number;
  readonly path: string;
  readonly reason: string;
}

const HASHED_BYTES = 1 << 20;

export class ShardSet implements AsyncDisposable {
  readonly #read: ReadManifest;
  readonly #found = new Map<number, FoundShard>();
  readonly #damages = new Map<number, Damage>();
  /** What is odd but does no harm. */
  readonly notes: string[] = [];

  private constructor(read: ReadManifest) {
    this.#read = read;
  }

  static async open(read: ReadManifest): Promise<ShardSet> {
    const set = new ShardSet(read);
    const wrong: Damage[] = [];
    for (const { node, file } of read.manifest.shards) {
      const path = join(dirname(read.path), file);
      const reason = await set.#add(node, path);
      if (reason !== undefined) wrong.push({ node, path, reason });
    }
    for (const damage of wrong) if (!set.#found.has(damage.node)) set.#damages.set(damage.node, damage);
    for (const { node, file } of read.manifest.shards) {
      if (set.#found.has(node) || set.#damages.has(node)) continue;
      const path = join(dirname(read.path), file);
      set.#damages.set(node, { node, path, reason: 'it is another shard of the set' });
    }
    return set;
  }

  /** Opens a file and takes it for the node that its header names; returns what is wrong with it. */
  async #add(expected: number, path: string): Promise<string | undefined> {
    let file: FileHandle;
    try {
      file = await open(path, 'r');
    } catch {
      return 'it is missing';
    }
    const reason = await this.#check(file, expected, path).catch(() => 'it cannot be read');
    if (reason !== undefined) await file.close();
    return reason;
  }

  async #check(file: FileHandle, expected: number, path: string): Promise<string | undefined> {
    const { manifest, code } = this.#read;
    const buffer = Buffer.alloc(SHARD_HEADER_BYTES);
    const read = await readFully(file, buffer, 0);
    const header = parseShardHeader(buffer.subarray(0, read));
    if (typeof header === 'string') return header;
    if (header.set !== manifest.set) return 'it belongs to another file';
    const wanted = shardFileBytes(code, manifest);
    const { size } = await file.stat();
    if (size < wanted) return `it is cut short: ${size} bytes of ${wanted}`;
    if (size > wanted) return `it is too long: ${size} bytes instead of ${wanted}`;
    const { node } = header;
    if (node >= code.nodes) return `it says that it is shard ${node} of ${code.nodes}`;
    if (this.#found.has(node)) return `it is shard ${node} once more`;
    if (node !== expected) this.notes.push(`${path} is shard ${node}, not ${expected}: used as what it is`);
    this.#found.set(node, { node, path, file });
    return undefined;
  }

  /** Shards that are there and not known to be damaged, by node. */
  get found(): readonly FoundShard[] {
    return [...this.#found.values()].sort((a, b) => a.node - b.node);
  }

  get damages(): readonly Damage[] {
    return [...this.#damages.values()].sort((a, b) => a.node - b.node);
  }

  shard(node: number): FoundShard | undefined {
    return this.#found.get(node);
  }

  /** From now on this shard counts as lost. */
  async reject(node: number, reason: string): Promise<void> {
    const shard = this.#found.get(node);
    if (!shard) return;
    this.#found.delete(node);
    this.#damages.set(node, { node, path: shard.path, reason });
    await shard.file.close();
  }

  /** Reads whole shards and rejects those that do not hash to what the manifest says. */
  async hashAll(onBytes: (bytes: number) => void): Promise<void> {
    const buffer = Buffer.alloc(HASHED_BYTES);
    for (const { node, file } of this.found) {
      const hash = createHash('sha256');
      let position = 0;
      for (;;) {
        const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
        if (bytesRead === 0) break;
        hash.update(buffer.subarray(0, bytesRead));
        position += bytesRead;
        onBytes(bytesRead);
      }
      await this.checkDigest(node, hash.digest('hex'));
    }
  }

  /** Rejects the shard when its digest is not the manifest's; returns whether it was right. */
  async checkDigest(node: number, digest: string): Promise<boolean> {
    if (digest === this.#read.manifest.shards[node]!.sha256) return true;
    await this.reject(node, 'its content is damaged (wrong checksum)');
    return false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([...this.#found.values()].map(({ file }) => file.close()));
  }
}

/** Hashes all shards of a set, with a progress bar. */
export async function hashShards(read: ReadManifest, set: ShardSet): Promise<void> {
  const { manifest, code } = read;
  const bytes = set.found.length * shardFileBytes(code, manifest);
  const progress = new Progress(`checking ${manifest.file}`, bytes);
  try {
    await set.hashAll((count) => progress.add(count));
  } catch (error) {
    throw fileFailure(read.path, 'read the shards of', error);
  } finally {
    progress.stop();
  }
}

/**
 * Checks a set without writing anything: every shard's checksum, and, where no shard is lost, that the
 * parities are those of the data and the data are the file's.
 */
import { createHash } from 'node:crypto';
import { plan, UndecodableError, verify } from '@larder/erasure';
import { fileFailure } from './errors.ts';
import type { ReadManifest } from './manifest.ts';
import { Progress } from './progress.ts';
import { SHARD_HEADER_BYTES } from './shard-header.ts';
import { type Damage, hashShards, ShardSet } from './shard-set.ts';
import { readFully, StripeBuffer } from './stripe-buffer.ts';
import { whileOpen } from './while-open.ts';

export interface Verified {
  readonly damages: readonly Damage[];
  readonly notes: readonly string[];
  /** Contradictions between shards that are each as the manifest says: it lies. */
  readonly contradictions: readonly string[];
  /** Whether the file can be restored from what is left. */
  readonly isRestorable: boolean;
}

export async function verifyFile(read: ReadManifest): Promise<Verified> {
  return whileOpen(await ShardSet.open(read), async (set) => {
    const contradictions = await findContradictions(read, set);
    return {
      damages: set.damages,
      notes: set.notes,
      contradictions,
      isRestorable: contradictions.length === 0 && isRestorable(read, set),
    };
  });
}

async function findContradictions(read: ReadManifest, set: ShardSet): Promise<string[]> {
  const { manifest } = read;
  await hashShards(read, set);
  if (set.damages.length > 0) return [];
  const stripes = new Progress(`checking the parities of ${manifest.file}`, manifest.bytes);
  try {
    return await checkStripes(read, set, stripes);
  } catch (error) {
    throw fileFailure(read.path, 'verify', error);
  } finally {
    stripes.stop();
  }
}

/** Shards that hash as promised and yet do not belong together. */
async function checkStripes(read: ReadManifest, set: ShardSet, progress: Progress): Promise<string[]> {
  const { manifest, code } = read;
  const stripe = new StripeBuffer(code, manifest.symbolBytes);
  const fileHash = createHash('sha256');
  for (let index = 0; index < manifest.stripes; index++) {
    const position = SHARD_HEADER_BYTES + index * code.rows * manifest.symbolBytes;
    await Promise.all(set.found.map(({ node, file }) => readFully(file, stripe.shards[node]!, position)));
    const { consistent, suspectNodes } = verify(code, stripe.shards);
    if (!consistent) {
      const suspects = suspectNodes.length > 0 ? ` (suspected: ${suspectNodes.join(', ')})` : '';
      return [`stripe ${index}: the parities are not those of the data${suspects}`];
    }
    const wanted = Math.min(stripe.dataBytes, manifest.bytes - index * stripe.dataBytes);
    for (const run of stripe.dataRuns(wanted)) fileHash.update(run);
    progress.add(wanted);
  }
  const isFile = fileHash.digest('hex') === manifest.sha256;
  return isFile ? [] : ['the shards are whole, but they do not make the file that the manifest names'];
}

function isRestorable({ code, manifest }: ReadManifest, set: ShardSet): boolean {
  const lostNodes = set.damages.map((damage) => damage.node);
  if (lostNodes.length === 0 || manifest.bytes === 0) return true;
  try {
    plan({ code, lostNodes, strategy: 'conventional' });
    return true;
  } catch (error) {
    if (error instanceof UndecodableError) return false;
    throw error;
  }
}

/** The messages of the codec benchmark: replies of the key-value server, by the sizes of their buffers. */
import { Random } from '../random/random.ts';
import { drawGoogleList } from '../serialization/workloads/sizes.ts';
import { REPLY_VALUE_BYTES_MAX } from '../serialization/workloads/workload.ts';

export interface CodecMessage {
  readonly name: string;
  readonly title: string;
  /** Sizes of the buffers of each message; they are used in a circle. */
  readonly shapes: readonly (readonly number[])[];
}

const GOOGLE_MESSAGES = 64;
const SEED = 5;

function same(count: number, bytes: number): readonly (readonly number[])[] {
  return [Array.from({ length: count }, () => bytes)];
}

function google(countMax: number): readonly (readonly number[])[] {
  const random = new Random(SEED);
  return Array.from({ length: GOOGLE_MESSAGES }, () =>
    drawGoogleList(random, countMax, REPLY_VALUE_BYTES_MAX),
  );
}

/** The message that the targets are about. */
export const TARGET_MESSAGE = '8x64';

export const MESSAGES: readonly CodecMessage[] = [
  { name: '1x16', title: '1 × 16 B', shapes: same(1, 16) },
  { name: TARGET_MESSAGE, title: '8 × 64 B', shapes: same(8, 64) },
  { name: '2x2048', title: '2 × 2048 B', shapes: same(2, 2048) },
  { name: '1x8192', title: '1 × 8192 B', shapes: same(1, 8192) },
  { name: 'google-1-8', title: 'Google sizes, 1–8 values', shapes: google(8) },
];

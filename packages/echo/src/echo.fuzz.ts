/**
 * More mutated messages through the codecs than a test run has time for, from another seed every time, and a million
 * messages with referenced buffers through a server: `npm run fuzz`.
 */
import { test } from 'node:test';
import { loadSerializer } from './serializers/registry.ts';
import { SERIALIZERS } from './serializers/serializer-list.ts';
import { runHostileMessages } from './testing/hostile-messages.ts';
import { soak } from './testing/soak.ts';

const CASES = Number(process.env.LARDER_FUZZ_CASES ?? 1_000_000);
const SEED = Number(process.env.LARDER_FUZZ_SEED ?? Date.now() % 0x7fff_ffff);
const SOAK_MESSAGES = 1_000_000;

for (const { name } of SERIALIZERS) {
  test(`${name}: ${CASES} hostile messages (seed ${SEED})`, async () => {
    runHostileMessages(await loadSerializer(name), CASES, SEED);
  });
}

for (const serializer of ['larder-references', 'larder-list', 'none']) {
  test(`${serializer}: a million messages with referenced buffers`, () => soak(serializer, SOAK_MESSAGES));
}

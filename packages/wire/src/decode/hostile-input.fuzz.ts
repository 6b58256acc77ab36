/** More hostile messages than a test run has time for, from another seed every time: `npm run fuzz`. */
import { test } from 'node:test';
import { walkHostileMessages } from '../testing/hostile-messages.ts';

const CASES = Number(process.env.LARDER_FUZZ_CASES ?? 20_000_000);
const SEED = Number(process.env.LARDER_FUZZ_SEED ?? Date.now() % 0x7fff_ffff);

test(`${CASES} mutated and random messages, walked in full (seed ${SEED})`, (context) => {
  context.diagnostic(`seed ${SEED}, ${walkHostileMessages(CASES, SEED)} reads`);
});

/**
 * Random conversations, cut at random places: however the bytes are delivered, the replies are the same, and
 * nothing that a client sends makes a session throw, lose memory or disturb another connection.
 *
 * `npm run fuzz` runs many; `session-split.test.ts` runs some of them with every test run.
 */
import { fuzzGarbage, fuzzSplits } from './testing/conversations.ts';

fuzzSplits(3000);
fuzzGarbage(3000);

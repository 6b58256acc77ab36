/** A short run of session.fuzz.ts. */
import { fuzzGarbage, fuzzSplits } from './testing/conversations.ts';

fuzzSplits(150);
fuzzGarbage(150);

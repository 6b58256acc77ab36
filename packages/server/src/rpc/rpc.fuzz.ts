/** Hostile input to the typed protocol, much of it. */
import { runMutatedRequests } from './testing/mutated-requests.ts';

runMutatedRequests(1_000_000);

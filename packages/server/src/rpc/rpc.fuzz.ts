/** Mutated requests of the typed protocol, many of them. */
import { runMutatedRequests } from './testing/mutated-requests.ts';

runMutatedRequests(1_000_000);

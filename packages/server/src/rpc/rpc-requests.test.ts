/** The short form of rpc.fuzz.ts. */
import { runMutatedRequests } from './testing/mutated-requests.ts';

runMutatedRequests(6000);

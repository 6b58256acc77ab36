/** A process that works for another one and is of no use without it. */
import { checked, libc } from './libc.ts';

const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;

/**
 * From now on the kernel kills this process when the one that started it ends, however that ends. Call it first: a
 * parent that is gone already is not noticed.
 */
export function endWithParent(): void {
  checked(libc().prctl(PR_SET_PDEATHSIG, SIGKILL), 'prctl', 'signal at the end of the parent');
}

/** The folder of a spool: made when it is missing, and tried at the start instead of at the first failed delete. */
import { mkdirSync, mkdtempSync, rmdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RoutingError } from '../errors.ts';

/** Keys are nobody else's business. */
const FOLDER_MODE = 0o700;
/** Removed at once; who counts a spool finds an empty folder there, or none. */
const TRIAL_PREFIX = '.trial-';

/**
 * Makes a folder with those above it. Node's recursive mkdir tries for ever where a file system says that there is
 * no such folder about whatever is made in it, as /proc does.
 */
export function makeFolder(path: string): void {
  const code = tryMaking(path);
  if (code === '') return;
  const above = dirname(path);
  if (code === 'ENOENT' && above !== path) {
    makeFolder(above);
    if (tryMaking(path) === '') return;
  }
  mkdirSync(path, { mode: FOLDER_MODE });
}

/** '' when the folder is there, else why it cannot be made. */
function tryMaking(path: string): string {
  try {
    mkdirSync(path, { mode: FOLDER_MODE });
    return '';
  } catch (error) {
    const { code } = RoutingError.from(error);
    return code === 'EEXIST' && statSync(path).isDirectory() ? '' : code;
  }
}

/** Throws a RoutingError with an errno code when nothing can be spooled there. Makes the folder. */
export function checkSpoolFolder(folder: string): void {
  try {
    makeFolder(folder);
    rmdirSync(mkdtempSync(join(folder, TRIAL_PREFIX)));
  } catch (cause) {
    const { code, message } = RoutingError.from(cause);
    throw new RoutingError(code, `undelivered deletes cannot be spooled to ${folder}: ${message}`, { cause });
  }
}

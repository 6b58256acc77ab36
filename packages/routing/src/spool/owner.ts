/**
 * Who writes a spool file: a process, and within it one spool. A file belongs to its owner as long as that lives;
 * the files of the dead belong to whoever takes them first.
 *
 * A process is its id and the time it started, since ids are used again (in a container nearly always). Where
 * /proc does not tell the time, the id alone has to do.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

const UNKNOWN_START = '0';
/** Fields of /proc/<pid>/stat behind the command's closing bracket: the 22nd of all is the start time. */
const START_FIELD = 22 - 3;

/** A new owner within this process: `pid_start_random`. */
export function newOwner(): string {
  return `${process.pid}_${startOf(process.pid) ?? UNKNOWN_START}_${randomBytes(4).toString('hex')}`;
}

/** Whether the process of that owner still runs; what is no owner is dead. */
export function isOwnerAlive(owner: string): boolean {
  const [pidText = '', start = ''] = owner.split('_');
  const pid = Number(pidText);
  if (!Number.isInteger(pid) || pid <= 0 || !exists(pid)) return false;
  const started = startOf(pid);
  return started === undefined || start === UNKNOWN_START || started === start;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[START_FIELD];
  } catch {
    return undefined;
  }
}

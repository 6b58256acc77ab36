/** What lies in a spool folder at a moment, whoever wrote it: for metrics, and for operators. */
import { join } from 'node:path';
import { type Disk, nodeDisk } from './disk.ts';
import { scanRecords } from './record.ts';
import { parseSegmentName } from './segment-name.ts';

export interface SpoolContents {
  readonly segments: number;
  /** Deletes that wait, repetitions included; of a segment under delivery all are counted until all are answered. */
  readonly entries: number;
  readonly bytes: number;
  /** Wall clock milliseconds when the oldest of them was written; undefined when nothing waits. */
  readonly oldestAtMs: number | undefined;
}

/**
 * Counts a folder, of all processes that share it. Costs a directory per server and a stat per segment; only segments
 * that are being written, or whose writer was killed, are read (1 MiB each at most).
 */
export function spoolContents(folder: string, disk: Disk = nodeDisk): SpoolContents {
  let segments = 0;
  let entries = 0;
  let bytes = 0;
  let oldestAtMs: number | undefined;
  for (const server of list(disk, folder)) {
    for (const file of list(disk, join(folder, server))) {
      const name = parseSegmentName(file);
      if (name === undefined) continue;
      const measured = measure(disk, join(folder, server, file), name.records);
      if (measured === undefined || measured.entries === 0) continue;
      segments++;
      entries += measured.entries;
      bytes += measured.bytes;
      if (oldestAtMs === undefined || name.writtenSinceMs < oldestAtMs) oldestAtMs = name.writtenSinceMs;
    }
  }
  return { segments, entries, bytes, oldestAtMs };
}

/** Undefined for a file that has been delivered, or changed hands, since it was listed. */
function measure(
  disk: Disk,
  path: string,
  records: number | undefined,
): { entries: number; bytes: number } | undefined {
  try {
    if (records !== undefined) return { entries: records, bytes: disk.size(path) };
    const content = disk.read(path);
    let entries = 0;
    scanRecords(content, () => {
      entries++;
    });
    return { entries, bytes: content.length };
  } catch {
    return undefined;
  }
}

/** Nothing where there is no folder yet. */
function list(disk: Disk, folder: string): readonly string[] {
  try {
    return disk.list(folder);
  } catch {
    return [];
  }
}

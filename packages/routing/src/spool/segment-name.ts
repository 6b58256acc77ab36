/**
 * What a segment's file name says: `<written since>_<owner>_<number>[-<records>].<owner>.<state>`.
 *
 * The stem is the segment's for life and sorts by the time of its first record; the second owner is who holds it now.
 * How many records it has is added when it is closed, so that what waits can be counted without reading it.
 */

export type SegmentState = 'active' | 'spool' | 'taken';

export interface SegmentName {
  readonly stem: string;
  readonly owner: string;
  readonly state: SegmentState;
  /** Wall clock of its first record. */
  readonly writtenSinceMs: number;
  /** Undefined while it is open, and after its writer was killed. */
  readonly records: number | undefined;
}

const TIME_DIGITS = 14;
const FORM = /^((\d+)_[^.]*?(?:-(\d+))?)\.([^.]*)\.(active|spool|taken)$/;

/** The stem of a new segment; numbers tell apart what an owner begins in one millisecond. */
export function newStem(wallNowMs: number, owner: string, number: number): string {
  return `${String(Math.floor(wallNowMs)).padStart(TIME_DIGITS, '0')}_${owner}_${number}`;
}

export function segmentName(stem: string, owner: string, state: SegmentState): string {
  return `${stem}.${owner}.${state}`;
}

/** What a file name says; undefined for what is no segment. */
export function parseSegmentName(name: string): SegmentName | undefined {
  const match = FORM.exec(name);
  if (match === null) return undefined;
  const [, stem = '', time, records, owner = '', state] = match;
  return {
    stem,
    owner,
    state: state as SegmentState,
    writtenSinceMs: Number(time),
    records: records === undefined ? undefined : Number(records),
  };
}

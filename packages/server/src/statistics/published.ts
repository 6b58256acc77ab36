/**
 * Numbers that live in objects of one worker's thread (its transport, its log of events), copied to shared
 * memory where every thread can read them: when a connection comes or goes, once a second, and before the
 * worker itself answers `stats`.
 */
import type { TransportStatistics } from '@larder/datapath';
import type { EventLogCounts } from '../events/shared-event-log.ts';

const TRANSPORT_NAMES = [
  'connectionsOpened',
  'connectionsCurrent',
  'connectionsRefused',
  'connectionsClosedIdle',
  'connectionsClosedSlow',
  'acceptPauses',
  'acceptPausedMs',
  'bytesRead',
  'bytesWritten',
  'systemCalls',
  'zeroCopySends',
  'zeroCopyCopied',
  'datagramsReceived',
  'datagramsSent',
  'datagramsDropped',
] as const satisfies readonly (keyof TransportStatistics)[];

const EVENT_NAMES = ['written', 'sent', 'skipped'] as const satisfies readonly (keyof EventLogCounts)[];

/** The sums over all workers. */
export type PublishedTotals = Readonly<TransportStatistics> & {
  readonly events: Readonly<EventLogCounts>;
};

const OPENED = TRANSPORT_NAMES.indexOf('connectionsOpened');
const CURRENT = TRANSPORT_NAMES.indexOf('connectionsCurrent');
const REFUSED = TRANSPORT_NAMES.indexOf('connectionsRefused');

/** Words that go up and down and are therefore not affected by `stats reset`. */
const GAUGES: ReadonlySet<number> = new Set([CURRENT]);

export const PUBLISHED_COUNT: number = TRANSPORT_NAMES.length + EVENT_NAMES.length;

/** Copies one worker's numbers to its words. */
export function publish(
  words: Float64Array,
  transport: TransportStatistics,
  connectionsCurrent: number,
  events: EventLogCounts,
): void {
  for (let index = 0; index < TRANSPORT_NAMES.length; index++) {
    words[index] = transport[TRANSPORT_NAMES[index]!];
  }
  words[CURRENT] = connectionsCurrent;
  for (let index = 0; index < EVENT_NAMES.length; index++) {
    words[TRANSPORT_NAMES.length + index] = events[EVENT_NAMES[index]!];
  }
}

/** Sums all workers' words, less what they were at the last reset. */
export function publishedTotals(workers: readonly Float64Array[], baseline: Float64Array): PublishedTotals {
  const sum = (index: number): number => {
    let total = GAUGES.has(index) ? 0 : -baseline[index]!;
    for (const words of workers) total += words[index]!;
    return total;
  };
  const transport = Object.fromEntries(TRANSPORT_NAMES.map((name, index) => [name, sum(index)]));
  const events = Object.fromEntries(
    EVENT_NAMES.map((name, index) => [name, sum(TRANSPORT_NAMES.length + index)]),
  );
  return { ...(transport as unknown as TransportStatistics), events: events as unknown as EventLogCounts };
}

/** Connections that one worker has closed or refused, ever. */
export function connectionsGone(words: Float64Array): number {
  return words[OPENED]! - words[CURRENT]! + words[REFUSED]!;
}

/** Open connections of one worker. */
export function connectionsNow(words: Float64Array): number {
  return words[CURRENT]!;
}

/** What a worker tells about itself: counters and servers' rows in shared memory, and the answers to `stats`. */
import type { Transport } from '@larder/datapath';
import {
  type Clock,
  type Destination,
  DestinationState,
  findSpool,
  type RouteHandle,
  type Routing,
} from '@larder/routing';
import type { Peer } from '../forwarding/peer.ts';
import { DESTINATIONS_MAX, TICK_MS } from '../limits.ts';
import type { StatisticsRow, StatisticsSource } from '../session/operator.ts';
import {
  BYTES_READ,
  BYTES_WRITTEN,
  CONNECTIONS_CURRENT,
  CONNECTIONS_REFUSED,
  CONNECTIONS_TOTAL,
  COUNTERS,
  OUTSTANDING,
  SPOOL_WRITTEN,
  STATES,
  SYSTEM_CALLS,
} from '../statistics/counters.ts';
import { generalRows, settingRows } from '../statistics/general-rows.ts';
import type { SharedStatistics } from '../statistics/shared-statistics.ts';
import { SpoolWatch } from '../statistics/spool-watch.ts';
import type { MessageFromWorker, RouteServers, WorkerInput } from './messages.ts';
import type { RouterHandler } from './router-handler.ts';

export interface WorkerStatisticsParts {
  readonly input: WorkerInput;
  readonly shared: SharedStatistics;
  readonly handler: RouterHandler;
  readonly transport: Transport<Peer>;
  readonly routing: Routing;
  readonly post: (message: MessageFromWorker) => void;
}

/** States as numbers in shared memory. */
const DESTINATION_STATES: readonly DestinationState[] = [
  DestinationState.new,
  DestinationState.up,
  DestinationState.tko,
  DestinationState.closed,
];

export class WorkerStatistics implements StatisticsSource {
  readonly #parts: WorkerStatisticsParts;
  readonly #counters: Float64Array;
  /** What `stats reset` has taken off, in this worker's answers. */
  readonly #baseline: Float64Array = new Float64Array(COUNTERS);
  #shown: readonly Destination[] = [];
  readonly #spool: SpoolWatch;

  constructor(parts: WorkerStatisticsParts) {
    this.#parts = parts;
    this.#spool = new SpoolWatch(parts.input.settings.spoolFolder);
    this.#counters = parts.shared.counters(parts.input.index);
  }

  /** Publishes once a second. */
  start(clock: Clock): void {
    const tick = (): void => {
      this.publish();
      clock.setTimer(TICK_MS, tick);
    };
    tick();
  }

  publish(): void {
    const { transport, handler, shared, input } = this.#parts;
    const counters = this.#counters;
    const { statistics } = transport;
    counters[CONNECTIONS_CURRENT] = handler.clients.size;
    counters[CONNECTIONS_TOTAL] = handler.accepted;
    counters[CONNECTIONS_REFUSED] = handler.refused;
    counters[BYTES_READ] = statistics.bytesRead;
    counters[BYTES_WRITTEN] = statistics.bytesWritten;
    counters[SYSTEM_CALLS] = statistics.systemCalls;
    const destinations = this.#destinations();
    let outstanding = 0;
    for (const [index, destination] of destinations.entries()) {
      const row = shared.row(input.index, index);
      const numbers = destination.statistics;
      outstanding += numbers.outstanding;
      row.set([
        DESTINATION_STATES.indexOf(destination.state),
        numbers.requests,
        numbers.failures,
        numbers.timeouts,
        numbers.refused,
        numbers.connects,
        numbers.connectFailures,
        numbers.tkos,
        numbers.probes,
        numbers.malformed,
        numbers.outstanding,
        numbers.bytesRead,
        numbers.bytesWritten,
        numbers.latencyMs,
      ]);
    }
    counters[OUTSTANDING] = outstanding;
    const spool = findSpool(this.#parts.routing)?.statistics;
    if (spool !== undefined) {
      const { written, refused, droppedForLimit, read, delivered, damaged, torn } = spool;
      counters.set([written, refused, droppedForLimit, read, delivered, damaged, torn], SPOOL_WRITTEN);
    }
  }

  rows(topic: string): Iterable<StatisticsRow> | undefined {
    const { input, shared } = this.#parts;
    this.publish();
    switch (topic) {
      case '': {
        const sum = shared.sum();
        for (let index = 0; index < COUNTERS; index++) sum[index]! -= this.#baseline[index]!;
        const facts = { ...input, transport: input.transport };
        return generalRows(facts, sum, this.#serverCounts(), this.#spool.contents());
      }
      case 'settings':
        return settingRows(input.settings);
      case 'conns':
        return this.#connectionRows();
      case 'servers':
        return this.#serverRows();
      default:
        return undefined;
    }
  }

  /** As memcached: counters begin anew, what is (connections, servers) stays. */
  reset(): void {
    this.publish();
    const sum = this.#parts.shared.sum();
    for (let index = 0; index < COUNTERS; index++) {
      if (!STATES.has(index)) this.#baseline[index] = sum[index]!;
    }
  }

  /** The servers of the present configuration; the main thread hears of every change. */
  #destinations(): readonly Destination[] {
    const destinations = [...this.#parts.routing.destinations()].slice(0, DESTINATIONS_MAX);
    const isSame =
      destinations.length === this.#shown.length &&
      destinations.every((destination, index) => destination === this.#shown[index]);
    if (!isSame) {
      this.#shown = destinations;
      const labels = destinations.map(({ label }) => label);
      this.#parts.post({
        type: 'destinations',
        labels,
        routes: routesOf(this.#parts.routing.root, destinations),
      });
    }
    return destinations;
  }

  #serverCounts(): { all: number; up: number; down: number; unknown: number } {
    const destinations = this.#destinations();
    const count = (state: DestinationState): number =>
      destinations.filter((destination) => destination.state === state).length;
    return {
      all: destinations.length,
      up: count(DestinationState.up),
      down: count(DestinationState.tko),
      unknown: count(DestinationState.new),
    };
  }

  /** The clients of this worker. */
  *#connectionRows(): Iterable<StatisticsRow> {
    let index = 0;
    for (const client of this.#parts.handler.clients) {
      yield [`${index}:addr`, client.address];
      yield [`${index}:pending`, client.session.client.pending];
      index++;
    }
  }

  *#serverRows(): Iterable<StatisticsRow> {
    for (const { label, state, statistics } of this.#destinations()) {
      yield [
        label,
        `state:${state} requests:${statistics.requests} failures:${statistics.failures} timeouts:${statistics.timeouts} refused:${statistics.refused} tkos:${statistics.tkos} outstanding:${statistics.outstanding} latency_ms:${statistics.latencyMs.toFixed(3)}`,
      ];
    }
  }
}

/** The handles whose children are servers, each once. */
function routesOf(root: RouteHandle, destinations: readonly Destination[]): RouteServers[] {
  const servers: ReadonlyMap<RouteHandle, Destination> = new Map(destinations.map((each) => [each, each]));
  const routes = new Map<string, RouteServers>();
  const seen = new Set<RouteHandle>();
  const visit = (handle: RouteHandle): void => {
    if (seen.has(handle)) return;
    seen.add(handle);
    const labels = handle.children.flatMap((child) => servers.get(child)?.label ?? []);
    if (labels.length > 0) routes.set(handle.name, { name: handle.name, labels: [...new Set(labels)] });
    for (const child of handle.children) visit(child);
  };
  visit(root);
  return [...routes.values()];
}

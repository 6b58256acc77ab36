/** The rows of `stats conns`: the connections and listening sockets of all workers. */
import type { StatisticsRow } from '../session/statistics-source.ts';
import { Control } from '../workers/control.ts';
import type { SharedState } from '../workers/shared-state.ts';

/** Connections are numbered worker by worker, so that a number means the same to every thread. */
export function* connectionRows(shared: SharedState): Iterable<StatisticsRow> {
  const now = Atomics.load(shared.control, Control.uptimeSeconds);
  for (let worker = 0; worker < shared.workers; worker++) {
    const table = shared.connectionTable(worker);
    const first = worker * table.rows;
    for (let index = 0; index < table.rows; index++) {
      const row = table.read(index);
      if (row === undefined) continue;
      const name = String(first + index);
      if (row.kind === 'udp') yield [`${name}:UDP`, 'UDP'];
      yield [`${name}:addr`, row.address];
      yield [`${name}:state`, row.isListening ? 'conn_listening' : 'conn_read'];
      yield [`${name}:secs_since_last_cmd`, Math.max(0, now - row.activeSeconds)];
    }
  }
}

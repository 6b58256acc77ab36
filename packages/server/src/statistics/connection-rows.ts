/** The rows of `stats conns`: the connections and listening sockets of all workers. */
import type { StatisticsRow } from '../session/statistics-source.ts';
import type { ConnectionRow } from '../workers/connection-table.ts';
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
      const idleSeconds = Math.max(0, now - row.activeSeconds);
      yield [`${name}:state`, stateName(row, idleSeconds)];
      yield [`${name}:secs_since_last_cmd`, idleSeconds];
    }
  }
}

/** Who sent something within the last second is taken to be about it. */
function stateName(row: ConnectionRow, idleSeconds: number): string {
  if (row.isListening) return 'conn_listening';
  return idleSeconds === 0 ? 'conn_parse_cmd' : 'conn_read';
}

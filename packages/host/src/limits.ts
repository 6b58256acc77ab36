/** Limits of every process with workers, with the relations between them asserted at load. */

/** Worker threads (`-t`). */
export const THREADS_MAX: number = 64;
/** Connections of the whole process (`-c`). */
export const CONNECTIONS_MAX: number = 65_536;
export const PORT_MAX: number = 65_535;
/** A Unix socket's path has to fit `sockaddr_un`. */
export const UNIX_PATH_BYTES_MAX: number = 107;
/** Networks of `--udp-allow`. */
export const UDP_NETWORKS_MAX: number = 256;
/** Datagrams of one UDP reply: bounds what a forged sender address can do to its victim. */
export const DEFAULT_UDP_DATAGRAMS_MAX: number = 16;
export const UDP_DATAGRAMS_MAX: number = 512;
/** Admin connections at a time; more are closed at once. */
export const ADMIN_CONNECTIONS_MAX: number = 64;

/** How long a stopping worker may flush its output, and how long the main thread waits for it. */
export const STOP_FLUSH_MS: number = 1_000;
export const STOP_WAIT_MS: number = 5_000;
/** How long a worker may take to report that it serves. */
export const START_WAIT_MS: number = 30_000;

function assertRelation(holds: boolean, text: string): void {
  if (!holds) throw new Error(`host limits: ${text}`);
}
assertRelation(STOP_FLUSH_MS < STOP_WAIT_MS, 'a worker is given its time to flush');
assertRelation(DEFAULT_UDP_DATAGRAMS_MAX <= UDP_DATAGRAMS_MAX, 'the default of a UDP reply is allowed');

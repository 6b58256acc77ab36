/** How the list of servers is found out, again and again. */

export interface Discovery {
  /** For messages. */
  readonly name: string;
  /** How long until the next look. */
  readonly intervalMs: number;
  /** The servers now, as `host:port`. Rejects when they cannot be found out: the last list stays. */
  find(signal: AbortSignal): Promise<readonly string[]>;
}

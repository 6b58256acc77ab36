/** What chooses one of several servers by key. */
export interface KeyHash {
  /** mcrouter's name: `Ch3`. */
  readonly name: string;
  /** The index of the chosen one. The bytes [start, end) are `request.keySource`, `keyStart`, `hashEnd`. */
  select(bytes: Buffer, start: number, end: number): number;
}

/**
 * The factory that every suite runs against: one kind of server, started as its own process on an ephemeral
 * port, and ended by its process id.
 */
import type { ServerAddress } from '../client/raw.ts';

/** What a suite asks of a server. Fields left out mean the server's default. */
export interface ServerOptions {
  readonly memoryMegabytes?: number;
  /** `-I`, with memcached's suffixes. */
  readonly itemSizeMax?: string;
  readonly connectionsMax?: number;
  readonly threads?: number;
  readonly udp?: boolean;
  readonly unixSocket?: string;
  /** `-Y`: a file of `user:password` lines. */
  readonly authFile?: string;
  readonly tls?: { readonly certificateFile: string; readonly keyFile: string };
  /** `-e` and its kin: keep items over a clean restart. */
  readonly memoryFile?: string;
  /** Further letters that both servers know, such as `-M`, `-F`, `-A`, `-n 64`. */
  readonly letters?: readonly string[];
  /** Long options that only Larder has; another server must not be asked for them. */
  readonly larder?: readonly string[];
}

/** How a process ended. */
export interface ServerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunningServer extends AsyncDisposable {
  readonly address: ServerAddress;
  /** Set when UDP was asked for. */
  readonly udpPort: number | undefined;
  readonly pid: number;
  /** The exit, as soon as the process has ended. */
  readonly exited: Promise<ServerExit>;
  /** Everything the process has written so far. */
  log(): string;
  /** Resident memory of the process in bytes. */
  residentBytes(): number;
  /** Ends cleanly (so that a memory file is kept) and waits for the end. */
  stop(): Promise<ServerExit>;
  /** Ends at once (SIGKILL) and waits for the end. */
  kill(): Promise<ServerExit>;
}

export interface ServerKind {
  readonly name: string;
  readonly larder: boolean;
  /** It is a router with servers behind it. */
  readonly isRouter?: boolean;
  /** Tests, by name, that it cannot pass, and why; they are counted as skipped. */
  readonly unsupported?: ReadonlyMap<string, string>;
  /** What Larder was told to use; memcached has no choice. */
  readonly transport: string | undefined;
  /** The version that decides what memcached can be asked; Larder speaks the newest. */
  readonly version: string;
  /** Undefined when it can run here, otherwise the reason why it cannot. */
  readonly unavailable: string | undefined;
  start(options: ServerOptions): Promise<RunningServer>;
}

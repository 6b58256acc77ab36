/** What a router can be told beside what every process with workers can, and what becomes of it. */
import type { HostOptions, HostSettings } from '@larder/host';

/** Everything is optional but the configuration; addresses and sizes are checked when the router starts. */
export interface RouterOptions extends HostOptions {
  /** The configuration: a file, a URL, or the document itself. */
  readonly config: { readonly file: string } | { readonly url: string } | { readonly text: string };
  /** The longest value that is passed on. */
  readonly valueBytesMax?: number;
  /** Time-out of a request to a server, where the configuration has none. */
  readonly serverTimeoutMs?: number;
  /** Time-out of a connection to a server, where the configuration has none. */
  readonly connectTimeoutMs?: number;
  /** Failures in a row until a server is given up. */
  readonly failuresUntilTko?: number;
  /** The first wait before a server that was given up is probed. */
  readonly probeDelayMs?: number;
  /** How often the configuration is looked at for changes; 0 for never. */
  readonly reloadMs?: number;
  /** Failed gets are answered as misses, as mcrouter does by default. */
  readonly missOnGetErrors?: boolean;
  readonly disableFlushAll?: boolean;
  /** Where AsynclogRoute keeps deletes that could not be delivered. */
  readonly spoolFolder?: string;
}

/** The options with every default filled in. */
export interface RouterSettings extends HostSettings {
  readonly config: RouterOptions['config'];
  readonly valueBytesMax: number;
  readonly serverTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly failuresUntilTko: number;
  readonly probeDelayMs: number;
  readonly reloadMs: number;
  readonly missOnGetErrors: boolean;
  readonly flushEnabled: boolean;
  readonly spoolFolder: string;
}

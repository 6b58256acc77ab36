/**
 * Where a configuration comes from, and the news that it has changed. A file is watched and looked at now and
 * then (watching misses changes on network file systems); a URL is asked with the tag of the last answer.
 */
import { type FSWatcher, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import type { Clock, TimerHandle } from '../clock.ts';
import { RoutingError } from '../errors.ts';
import { CONFIG_BYTES_MAX, CONFIG_FETCH_TIMEOUT_MS, CONFIG_SETTLE_MS } from '../limits.ts';

/** The configuration itself (as text, or as the object it stands for), a file, a URL, or anything else that has it. */
export type ConfigSourceOptions =
  | string
  | { readonly [name: string]: unknown }
  | { readonly file: string }
  | { readonly url: string; readonly headers?: Readonly<Record<string, string>> }
  | { readonly source: ConfigSource };

export interface ConfigSource {
  /** For people: the path, the URL, or `given`. */
  readonly label: string;
  /** The text now; throws a RoutingError CONFIG_SOURCE. `undefined`: the same as last time. */
  read(): Promise<string | undefined>;
  /**
   * The text of a document that the configuration imports, named relative to it; `undefined` when there is none.
   * Throws a RoutingError CONFIG_SOURCE.
   */
  readImport?(path: string): Promise<string | undefined>;
  /** Calls back when it may have changed. */
  start(onChange: () => void): void;
  close(): void;
}

export function openSource(options: ConfigSourceOptions, clock: Clock, pollMs: number): ConfigSource {
  if (typeof options === 'string') return new GivenSource(options);
  if (isGiven(options)) return options.source;
  if ('file' in options && typeof options.file === 'string')
    return new FileSource(options.file, clock, pollMs);
  if ('url' in options && typeof options.url === 'string') {
    const { url, headers } = options as { url: string; headers?: Readonly<Record<string, string>> };
    return new UrlSource(url, headers ?? {}, clock, pollMs);
  }
  return new GivenSource(JSON.stringify(options));
}

function isGiven(options: object): options is { readonly source: ConfigSource } {
  const source: unknown = 'source' in options ? options.source : undefined;
  return (
    typeof source === 'object' && source !== null && 'read' in source && typeof source.read === 'function'
  );
}

class GivenSource implements ConfigSource {
  readonly label: string = 'given';
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  read(): Promise<string> {
    return Promise.resolve(this.#text);
  }

  /** Relative to where this process runs. */
  readImport(path: string): Promise<string | undefined> {
    return readImportedFile(path, '.');
  }

  start(): void {}

  close(): void {}
}

class FileSource implements ConfigSource {
  readonly label: string;
  readonly #clock: Clock;
  readonly #pollMs: number;
  #watcher: FSWatcher | undefined = undefined;
  #poll: TimerHandle | undefined = undefined;
  #settling: TimerHandle | undefined = undefined;

  constructor(path: string, clock: Clock, pollMs: number) {
    this.label = path;
    this.#clock = clock;
    this.#pollMs = pollMs;
  }

  async read(): Promise<string> {
    try {
      return await readFile(this.label, 'utf8');
    } catch (error) {
      const { message } = RoutingError.from(error);
      throw new RoutingError('CONFIG_SOURCE', `cannot read ${this.label}: ${message}`, { cause: error });
    }
  }

  readImport(path: string): Promise<string | undefined> {
    return readImportedFile(path, dirname(this.label));
  }

  start(onChange: () => void): void {
    const name = basename(this.label);
    try {
      // The folder is watched, because editors and deployments replace the file.
      this.#watcher = watch(dirname(this.label), { persistent: false }, (_event, changed) => {
        if (changed === null || changed === name || this.#isLinked(changed)) this.#settle(onChange);
      });
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch {
      // Looking at it now and then is enough.
      this.#watcher = undefined;
    }
    const again = (): void => {
      onChange();
      this.#poll = this.#clock.setTimer(this.#pollMs, again);
    };
    this.#poll = this.#clock.setTimer(this.#pollMs, again);
  }

  close(): void {
    this.#watcher?.close();
    this.#poll?.cancel();
    this.#settling?.cancel();
  }

  /** Kubernetes swaps a folder that the file is a link into. */
  #isLinked(changed: string): boolean {
    return changed === '..data';
  }

  /** Whoever writes the file may not be through with it. */
  #settle(onChange: () => void): void {
    this.#settling ??= this.#clock.setTimer(CONFIG_SETTLE_MS, () => {
      this.#settling = undefined;
      onChange();
    });
  }
}

class UrlSource implements ConfigSource {
  readonly label: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #clock: Clock;
  readonly #pollMs: number;
  readonly #closing: AbortController = new AbortController();
  #tag: string | undefined = undefined;
  #poll: TimerHandle | undefined = undefined;

  constructor(url: string, headers: Readonly<Record<string, string>>, clock: Clock, pollMs: number) {
    this.label = url;
    this.#headers = headers;
    this.#clock = clock;
    this.#pollMs = pollMs;
  }

  async read(): Promise<string | undefined> {
    try {
      const response = await this.#fetch(
        this.label,
        this.#tag === undefined ? {} : { 'if-none-match': this.#tag },
      );
      if (response.status === 304) {
        await response.body?.cancel();
        return undefined;
      }
      if (!response.ok) {
        await response.body?.cancel();
        throw new RoutingError('CONFIG_SOURCE', `the answer was ${response.status} ${response.statusText}`);
      }
      const text = await readLimited(response);
      this.#tag = response.headers.get('etag') ?? undefined;
      return text;
    } catch (error) {
      const { message } = RoutingError.from(error);
      throw new RoutingError('CONFIG_SOURCE', `cannot fetch ${this.label}: ${message}`, { cause: error });
    }
  }

  /** From the place that the path is relative to, or from another host: then without the headers. */
  async readImport(path: string): Promise<string | undefined> {
    try {
      const url = new URL(path, this.label);
      if (url.protocol !== 'http:' && url.protocol !== 'https:') {
        throw new RoutingError('CONFIG_SOURCE', 'expected a path, or an http or https URL');
      }
      const response = await this.#fetch(url.href, {});
      if (response.ok) return await readLimited(response);
      await response.body?.cancel();
      if (response.status === 404) return undefined;
      throw new RoutingError('CONFIG_SOURCE', `the answer was ${response.status} ${response.statusText}`);
    } catch (error) {
      const { message } = RoutingError.from(error);
      throw new RoutingError('CONFIG_SOURCE', `cannot import ${path}: ${message}`, { cause: error });
    }
  }

  start(onChange: () => void): void {
    const again = (): void => {
      onChange();
      this.#poll = this.#clock.setTimer(this.#pollMs, again);
    };
    this.#poll = this.#clock.setTimer(this.#pollMs, again);
  }

  #fetch(url: string, more: Readonly<Record<string, string>>): Promise<Response> {
    const isOwn = new URL(url).origin === new URL(this.label).origin;
    return fetch(url, {
      headers: { ...(isOwn ? this.#headers : {}), ...more },
      signal: AbortSignal.any([this.#closing.signal, AbortSignal.timeout(CONFIG_FETCH_TIMEOUT_MS)]),
    });
  }

  close(): void {
    this.#closing.abort();
    this.#poll?.cancel();
  }
}

/** `file:` in front is mcrouter's spelling. */
async function readImportedFile(path: string, folder: string): Promise<string | undefined> {
  try {
    return await readFile(resolve(folder, path.replace(/^file:/, '')), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    const { message } = RoutingError.from(error);
    throw new RoutingError('CONFIG_SOURCE', `cannot import ${path}: ${message}`, { cause: error });
  }
}

async function readLimited(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > CONFIG_BYTES_MAX) {
      throw new RoutingError(
        'CONFIG_SOURCE',
        `it is longer than ${CONFIG_BYTES_MAX} bytes (CONFIG_BYTES_MAX)`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** `larder advise pools`: reads or watches traffic, then prints where each key family should live. */
import { createReadStream } from 'node:fs';
import process from 'node:process';
import { createInterface } from 'node:readline';
import {
  advisePools,
  familyByList,
  familyByPrefix,
  formatAddress,
  formatAdvice,
  parseAddress,
  parseTrafficLine,
  RoutingError,
  TrafficSample,
  watchServer,
} from '@larder/routing';
import { type AdvisePoolsFlags, type AdvisePoolsOptions, adviseOptionsFrom } from '../advise-flags.ts';

const USAGE_EXIT_CODE = 2;

export async function advisePoolsCommand(flags: AdvisePoolsFlags): Promise<void> {
  try {
    await advise(flags, adviseOptionsFrom(flags));
  } catch (error) {
    if (!(error instanceof RoutingError)) throw error;
    process.stderr.write(`larder: ${error.message}\n`);
    process.exitCode = error.code === 'OPTION' ? USAGE_EXIT_CODE : 1;
  }
}

async function advise(flags: AdvisePoolsFlags, options: AdvisePoolsOptions): Promise<void> {
  checkUsage(flags, options);
  const familyOf =
    flags.family.length > 0
      ? familyByList(flags.family)
      : familyByPrefix(options.familyDepth, flags.separators);
  const sample = new TrafficSample({ familyOf });
  for (const path of flags.capture) await readCapture(path, sample);
  if (flags.watch.length > 0) await watchAll(flags.watch, options.seconds, sample);
  const families = sample.families();
  if (families.length === 0) throw new RoutingError('EMPTY', 'no traffic was seen');
  const watched = Math.max(1, flags.watch.length);
  const advice = advisePools(families, {
    clusters: options.clusters,
    serverBytes: options.serverBytes,
    serverGetsPerSecond: options.serverGetsPerSecond,
    scale: (options.servers ?? watched) / watched,
  });
  const { seconds, events, skipped } = sample;
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify({ seconds, events, skipped, families: advice }, undefined, 2)}\n`);
    return;
  }
  const lost = skipped > 0 ? `, ${skipped} more were skipped by the server` : '';
  process.stdout.write(
    `${formatAdvice(advice)}\n${events} requests in ${seconds.toFixed(1)} s${lost}. Data sets are what was ` +
      'touched in that time: a longer watch sees more.\n',
  );
}

function checkUsage(flags: AdvisePoolsFlags, options: AdvisePoolsOptions): void {
  const fail = (text: string): never => {
    throw new RoutingError('OPTION', text);
  };
  if (flags.watch.length === 0 && flags.capture.length === 0) fail('expected --watch or --capture');
  if (options.seconds < 1) fail('--seconds: expected at least 1');
  if (options.clusters < 1) fail('--clusters: expected at least 1');
  if (options.familyDepth < 1) fail('--family-depth: expected at least 1');
  if (options.serverGetsPerSecond < 1) fail('--server-gets: expected at least 1');
  if (options.serverBytes < 1) fail('--server-memory: expected at least 1');
  if (options.servers !== undefined && options.servers < Math.max(1, flags.watch.length)) {
    fail('--servers: expected at least as many as are watched');
  }
}

async function readCapture(path: string, sample: TrafficSample): Promise<void> {
  const input = path === '-' ? process.stdin : createReadStream(path);
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      const event = parseTrafficLine(line);
      if (event !== undefined) sample.add(event, path);
    }
  } catch (error) {
    const { code, message } = RoutingError.from(error);
    throw new RoutingError(code, `cannot read ${path}: ${message}`, { cause: error });
  }
}

/** Watches all servers for so long, or until Ctrl-C, which ends the watch and not the advice. */
async function watchAll(addresses: readonly string[], seconds: number, sample: TrafficSample): Promise<void> {
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  const parsed = addresses.map((text) => parseAddress(text).address);
  process.once('SIGINT', stop);
  const timer = setTimeout(stop, seconds * 1000);
  process.stderr.write(`watching ${addresses.join(', ')} for ${seconds} s; Ctrl-C ends it earlier\n`);
  try {
    await Promise.all(
      parsed.map((address) =>
        watchServer({
          address,
          signal: abort.signal,
          onLine: (line) => {
            const event = parseTrafficLine(line);
            if (event !== undefined) sample.add(event, formatAddress(address));
          },
        }),
      ),
    );
  } finally {
    abort.abort();
    clearTimeout(timer);
    process.removeListener('SIGINT', stop);
  }
}

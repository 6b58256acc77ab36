/** Fills in defaults and refuses options that make no sense, each with its name. */
import { adminWarnings, integerWithin, openHosts, resolveHostOptions } from '@larder/host';
import {
  CONNECT_TIMEOUT_MS,
  FAILURES_UNTIL_TKO,
  PROBE_DELAY_INITIAL_MS,
  SERVER_TIMEOUT_MS,
} from '@larder/routing';
import { DEFAULT_CONNECTIONS, DEFAULT_VALUE_BYTES, VALUE_BYTES_MAX } from '../limits.ts';
import type { RouterOptions, RouterSettings } from './router-options.ts';

/** mcrouter's documentation starts it there. */
export const DEFAULT_PORT = 5000;
const DEFAULT_ADMIN_PORT = 11_281;
const DEFAULT_RELOAD_MS = 1000;
const TIMEOUT_MS_MAX = 3_600_000;
const FAILURES_MAX = 1_000_000;
const VALUE_BYTES_MIN = 1024;

export function resolveRouterOptions(options: RouterOptions): RouterSettings {
  const timeout = (option: string, value: number): number => integerWithin(option, value, 1, TIMEOUT_MS_MAX);
  const failures = options.failuresUntilTko ?? FAILURES_UNTIL_TKO;
  const valueBytes = options.valueBytesMax ?? DEFAULT_VALUE_BYTES;
  return {
    ...resolveHostOptions(options, {
      port: DEFAULT_PORT,
      adminPort: DEFAULT_ADMIN_PORT,
      connectionsMax: DEFAULT_CONNECTIONS,
    }),
    config: options.config,
    valueBytesMax: integerWithin('-I/--max-item-size', valueBytes, VALUE_BYTES_MIN, VALUE_BYTES_MAX),
    serverTimeoutMs: timeout('--server-timeout', options.serverTimeoutMs ?? SERVER_TIMEOUT_MS),
    connectTimeoutMs: timeout('--connect-timeout', options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS),
    failuresUntilTko: integerWithin('--tko-failures', failures, 1, FAILURES_MAX),
    probeDelayMs: timeout('--probe-delay', options.probeDelayMs ?? PROBE_DELAY_INITIAL_MS),
    reloadMs: integerWithin('--reload', options.reloadMs ?? DEFAULT_RELOAD_MS, 0, TIMEOUT_MS_MAX),
    missOnGetErrors: options.missOnGetErrors ?? false,
    flushEnabled: options.disableFlushAll !== true,
    spoolFolder: options.spoolFolder ?? '',
  };
}

/** What an operator should know before something goes wrong. */
export function settingsWarnings(settings: RouterSettings): string[] {
  const open = openHosts(settings).join(', ');
  const warning = `listening on ${open}, and the router asks nobody who they are: every host that reaches it may read and write the servers behind it`;
  return [...(open === '' ? [] : [warning]), ...adminWarnings(settings)];
}

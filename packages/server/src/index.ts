/** The cache server process: composition of datapath, protocol and cache, its workers, statistics and admin pages. */
export { ServerError } from './errors.ts';
export { type ExtendedOptions, parseExtended } from './options/extended.ts';
export type { ServerOptions, ServerSettings, TlsOptions } from './options/server-options.ts';
export type { RunningServer } from './running-server.ts';
export { serverVersion, startServer } from './start-server.ts';

/** The `larder` command as a library: for embedding its command line and for tests. */
export { buildProgram } from './program.ts';
export { larderVersion } from './version.ts';

/** The entry point of the `larder` command. */
import process from 'node:process';
import { leanStart } from './lean-start.ts';

leanStart(process.argv, import.meta.url);
// Only now, so that what is about to be started again does not load everything twice.
const { run } = await import('./run.ts');
await run(process.argv);

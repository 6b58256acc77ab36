/**
 * The commands that start the servers of a benchmark.
 */
import { userInfo } from 'node:os';
import { fileURLToPath } from 'node:url';
import { BenchError } from '../errors.ts';
import type { ServerCommand } from '../harness/server.ts';
import type { Contestant, ServerKind } from './case-types.ts';

const LARDER_MAIN = fileURLToPath(new URL('../../../packages/cli/src/main.ts', import.meta.url));
/** More than any case opens; both servers get the same. */
const CONNECTIONS = '1024';

/** Debian's memcached with one thread and nothing switched on that a get does not need. */
export function memcachedCommand(program: string): ServerCommand {
  // As root it insists on being told which user to be.
  const user = process.getuid?.() === 0 ? ['-u', userInfo().username] : [];
  return {
    title: 'memcached',
    program,
    args: ['-t', '{threads}', '-m', '{memory}', '-c', CONNECTIONS, ...user],
    reachArgs: {
      tcp: ['-l', '127.0.0.1', '-p', '{port}', '-U', '0'],
      udp: ['-l', '127.0.0.1', '-p', '{port}', '-U', '{port}'],
      unix: ['-s', '{socket}'],
    },
  };
}

/** Larder from this repository's source, as an operator would start it. */
export function larderCommand(): ServerCommand {
  const admin = ['--admin-port', '0'];
  return {
    title: 'larder',
    program: process.execPath,
    args: [
      '-C',
      'larder-source',
      LARDER_MAIN,
      'serve',
      '--threads',
      '{threads}',
      '-m',
      '{memory}',
      '-c',
      CONNECTIONS,
      ...admin,
    ],
    reachArgs: {
      tcp: ['-l', '127.0.0.1', '--port', '{port}'],
      udp: ['-l', '127.0.0.1', '--port', '{port}', '-U', '{port}'],
      unix: ['-s', '{socket}'],
    },
  };
}

/** Any other program in Larder's place; words are split at blanks, places are filled in. */
export function customCommand(text: string): ServerCommand {
  const [program, ...args] = text.split(/\s+/).filter((word) => word !== '');
  if (program === undefined) throw new BenchError('USAGE', 'an empty server command');
  return { title: 'larder', program, args, reachArgs: { tcp: [], udp: [], unix: [] } };
}

export type Commands = Readonly<Record<ServerKind, ServerCommand>>;

export function contestantLabel(contestant: Contestant): string {
  return contestant.label ?? contestant.kind;
}

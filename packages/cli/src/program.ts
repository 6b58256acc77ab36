/**
 * The `larder` command: which subcommands there are and what their help says. Composition only; each
 * subcommand's work is in `commands/`.
 */
import { Command } from 'commander';
import { addAdviseCommand } from './advise-flags.ts';
import { addErasureCommand } from './commands/erasure.ts';
import { type GenerateFlags, generateCode } from './commands/generate.ts';
import { serve } from './commands/serve.ts';
import type { UpFlags } from './commands/up.ts';
import { addEchoCommand } from './echo-flags.ts';
import { addRouterCommand } from './router-flags.ts';
import { addCommonFlags, addOperatorFlags, type ServerFlags } from './server-flags.ts';
import { larderVersion } from './version.ts';

const ENVIRONMENT = `
Environment:
  LARDER_TRANSPORT   as --transport: uring, epoll or node
  NO_COLOR           any value: no colours

Exit codes: 0 stopped cleanly, 1 failed while running or starting, 2 wrong usage.`;

const MAIN_HELP = `
Examples:
  larder up                               a small cluster on 127.0.0.1:11211, to try things with
  larder serve -m 4g -t 4 -l 0.0.0.0      a server for operation (mind your firewall, or use -Y)
  larder router --config router.json      one address in front of many servers
  larder serve --help                     every flag of the server
${ENVIRONMENT}`;

const UP_HELP = `
Two cache servers, a gutter server and a router in front of them, on 127.0.0.1: the router on 11211, or on the next
free port if that is taken, the servers on the ports behind it. Shows their state on a terminal. Ctrl-C stops all.

While it runs, in another terminal:
  larder up --kill cache-1     kills that server as kill -9 does and shows what its keys' users see: the gutter
                               takes over, with entries that expire after 10 s. It comes back after 15 s, empty
  larder up --start cache-1    brings it back at once

Examples:
  larder up
  larder up -m 256 -t 2
  larder up --transport node
${ENVIRONMENT}`;

const SERVE_HELP = `
Letters and long names are memcached's where memcached has the option. Sizes take k, m, g. Nothing is
reachable from other hosts unless -l says so.

Examples:
  larder serve -p 11211 -m 1g -c 4096
  larder serve -l 0.0.0.0 -Y /etc/larder/users        with authentication
  larder serve -s /run/larder.sock -a 770             Unix socket instead of TCP
  larder serve -U 11211 --udp-allow 10.0.0.0/8        UDP as well, for one network
  larder serve --rpc-port 11213                       the typed protocol as well, over TCP and UDP
  larder serve -e /dev/shm/larder -m 4g               warm restart: stop with SIGTERM or SIGUSR1, start again
  larder serve --tls-cert cert.pem --tls-key key.pem  TLS on port 11212, plain on 11211

Signals: SIGINT and SIGTERM stop at once and cleanly; SIGUSR1 does the same and is memcached's way to ask
for a warm restart. With -e every one of them keeps the items.
${ENVIRONMENT}`;

const GENERATE_HELP = `
Reads proto3 schemas and writes TypeScript for @larder/wire, also for what the schemas import.

Examples:
  larder generate schema.proto                  schema.larder.ts beside the schema
  larder generate -I protos --out src/gen protos/shop/order.proto
  larder generate schema.proto --option target=js+dts`;

/** For options that may be given several times. */
function collect(value: string, values: readonly string[]): readonly string[] {
  return [...values, value];
}

/** The cache server, for trying and for operation. */
function addServerCommands(program: Command): readonly Command[] {
  const upCommand = program
    .command('up')
    .summary('start two cache servers, a gutter and a router to try things with')
    .description('Starts a small cluster with good defaults and shows how to talk to it.');
  addCommonFlags(upCommand)
    .option('-p, --port <port>', "the router's TCP port; without it 11211 or the next free one")
    .option('--kill <name>', 'kill a server of the cluster that runs: cache-1, cache-2 or gutter')
    .option('--start <name>', 'start a server that was killed')
    .showHelpAfterError('(larder up --help lists the options)')
    .addHelpText('after', UP_HELP)
    .action(async (flags: UpFlags) => {
      const { up } = await import('./commands/up.ts');
      await up(flags);
    });

  const serveCommand = program
    .command('serve')
    .summary('run the server with operator flags')
    .description('Runs only the cache server, logging to stderr.');
  addOperatorFlags(addCommonFlags(serveCommand))
    .showHelpAfterError('(larder serve --help lists the options)')
    .addHelpText('after', SERVE_HELP)
    .action((flags: ServerFlags) => serve(flags));
  return [upCommand, serveCommand];
}

/** Typed messages: their compiler, and a server to measure them with. */
function addMessageCommands(program: Command): readonly Command[] {
  // Loaded only by those who run it: no other command wants a serializer.
  const echoCommand = addEchoCommand(program, async (flags) => {
    const { echo } = await import('./commands/echo.ts');
    await echo(flags);
  });

  const generateCommand = program
    .command('generate')
    .summary('compile .proto files to TypeScript')
    .description('Compiles protobuf schemas to TypeScript classes for zero-copy messages.')
    .argument('<schemas...>', '.proto files')
    .option(
      '-I, --import-folder <folder>',
      "where imports are (again for more); without it the schemas' folders",
      collect,
      [],
    )
    .option('-o, --out <folder>', 'where to write; without it beside the schemas')
    .option('--no-imports', 'leave out what the schemas import')
    .option(
      '--option <name=value>',
      'option of protoc-gen-larder, such as import_extension=none',
      collect,
      [],
    )
    .showHelpAfterError('(larder generate --help lists the options)')
    .addHelpText('after', GENERATE_HELP)
    .action((schemas: string[], flags: GenerateFlags) => generateCode(schemas, flags));
  return [echoCommand, generateCommand];
}

/** The whole command line; `parseAsync` runs it. */
export function buildProgram(): Command {
  const program = new Command('larder')
    .description('Larder: a memcached-compatible cache server that moves as few bytes as possible')
    .version(larderVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .showSuggestionAfterError(true)
    .showHelpAfterError('(larder --help lists the commands)')
    .addHelpText('after', MAIN_HELP);

  const serverCommands = addServerCommands(program);

  // Loaded only by those who run it: a server has no use for it.
  const routerCommand = addRouterCommand(program, async (flags) => {
    const { router } = await import('./commands/router.ts');
    await router(flags);
  });

  const adviseCommands = addAdviseCommand(program, async (flags) => {
    const { advisePoolsCommand } = await import('./commands/advise.ts');
    await advisePoolsCommand(flags);
  });

  const messageCommands = addMessageCommands(program);
  const erasureCommands = addErasureCommand(program);

  for (const command of [
    program,
    ...serverCommands,
    routerCommand,
    ...messageCommands,
    ...erasureCommands,
    ...adviseCommands,
  ]) {
    command.configureHelp({ sortOptions: true }).exitOverride();
  }
  return program;
}

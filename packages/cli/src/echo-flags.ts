/** The flags of `larder echo` and what they mean. */
import { SERIALIZERS } from '@larder/echo/serializer-list';
import { type Command, Option } from 'commander';

export interface EchoFlags {
  readonly port?: string;
  readonly host?: string;
  readonly transport?: string;
  readonly serializer: string;
  readonly load?: string;
  readonly size?: string;
  readonly fields?: string;
  readonly levels?: string;
  readonly seconds?: string;
  readonly connections?: string;
  readonly inFlight?: string;
  readonly udp?: boolean;
  readonly json?: boolean;
}

function serializerLines(): string {
  const width = Math.max(...SERIALIZERS.map(({ name }) => name.length)) + 3;
  return SERIALIZERS.map(({ name, summary, package: needed }) => {
    const install = needed === undefined ? '' : ` (npm install ${needed})`;
    return `  ${name.padEnd(width)}${summary}${install}`;
  }).join('\n');
}

const HELP = `
Serializers:
${serializerLines()}

The server reads each message field by field, builds one of the same content, and sends it back: the papers' echo
server. What is no message of the serializer ends its connection, or is dropped, and is counted.

--load asks such a server with as many requests in flight as it is told, looks at every answer, and prints requests
per second and latencies. It is one thread: for the server's limit, run several, or npm run bench of the repository.

Examples:
  larder echo -p 7000 --serializer flatbuffers
  larder echo --load 127.0.0.1:7000 --serializer flatbuffers
  larder echo --load 127.0.0.1:7000 --size 1024 --fields 8 --seconds 10 --in-flight 64
  larder echo --load 127.0.0.1:7000 --udp --size 512 --fields 1 --json

Exit codes: 0 stopped cleanly, 1 failed, or wrong answers; 2 wrong usage.`;

/** Adds `echo`; returns the command. */
export function addEchoCommand(program: Command, echo: (flags: EchoFlags) => Promise<void>): Command {
  return program
    .command('echo')
    .summary('echo messages of a serializer, to measure it with; or be the load for that')
    .description(
      'Answers each message with one of the same content (TCP and UDP), or measures a server that does.',
    )
    .addOption(
      new Option('--serializer <name>', 'whose messages; see below')
        .choices(SERIALIZERS.map(({ name }) => name))
        .default('larder'),
    )
    .option('-p, --port <port>', 'port for TCP and UDP; 0 for any free one (default: 0)')
    .option('-l, --host <address>', 'address to listen on (default: 127.0.0.1)')
    .addOption(
      new Option(
        '--transport <name>',
        'uring, epoll or node (default: the fastest that this system allows)',
      ).env('LARDER_TRANSPORT'),
    )
    .option('--load <address:port>', 'do not serve: measure the server at this address')
    .option('--size <bytes>', 'load: bytes of one buffer (default: 2048)')
    .option('--fields <count>', 'load: buffers of a message; one is a field, several are a list (default: 2)')
    .option('--levels <count>', 'load: levels of a tree of such messages (default: 1)')
    .option('--seconds <count>', 'load: how long it counts, after half a second without (default: 5)')
    .option('--connections <count>', 'load: connections, or UDP sockets (default: 1)')
    .option('--in-flight <count>', 'load: requests in flight on each (default: 16)')
    .option('--udp', 'load: UDP instead of TCP')
    .option('--json', 'load: print JSON')
    .showHelpAfterError('(larder echo --help lists the options)')
    .addHelpText('after', HELP)
    .action(echo);
}

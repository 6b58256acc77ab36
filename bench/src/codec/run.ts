/**
 * `npm run bench -- codec`: what encoding and decoding cost alone, in nanoseconds and in allocations, for every
 * serializer and the same messages. The exit status is 0 when every target was met.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BenchError } from '../errors.ts';
import { describeBenchMachine } from '../harness/machine.ts';
import { Processes, requireProgram } from '../harness/processes.ts';
import { positiveNumber, readArguments } from '../read-arguments.ts';
import { PeerProcess } from '../serialization/measure/peer-process.ts';
import { CONTESTANT_ORDER } from '../serialization/report/targets.ts';
import { NO_SERIALIZER } from '../serialization/serializers/registry.ts';
import { storedThreshold } from '../threshold/stored.ts';
import { MESSAGES } from './messages.ts';
import type { Allocations, CodecCommand, CodecNumbers, CodecReply } from './process.ts';
import { type CodecReport, codecMarkdown, codecTargets, drawCodec } from './report.ts';

const USAGE = `Usage: npm run bench -- codec [options] [serializer ...]

Encodes and decodes replies of the key-value server with every serializer and prints nanoseconds and
allocations per message. Serializers: ${CONTESTANT_ORDER.filter((name) => name !== NO_SERIALIZER).join(', ')}.

  --seconds <n>   measured time of one message, one way, one round (default 0.15)
  --rounds <n>    rounds in which the serializers take turns (default 3)
  --cpu <n>       CPU (default 0)
  --quick         one short round; writes nothing
  --out <folder>  where codec.json, .svg and .md go (default: docs/evaluation)
  --no-write      write no files
  --help          this text
`;

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  seconds: { type: 'string', default: '0.15' },
  rounds: { type: 'string', default: '3' },
  cpu: { type: 'string', default: '0' },
  quick: { type: 'boolean', default: false },
  out: { type: 'string' },
  'no-write': { type: 'boolean', default: false },
} as const;

const EVALUATION: string = fileURLToPath(new URL('../../../docs/evaluation', import.meta.url));
const QUICK_SECONDS = 0.06;
const WARM_SECONDS = 0.15;
/** New objects stay where they are while they are counted; JavaScript's own measures are otherwise untouched. */
const FLAGS = ['--expose-gc', '--min-semi-space-size=32', '--max-semi-space-size=32'];
const NEVER_BYTES: number = 2 ** 31;

type Codec = PeerProcess<CodecCommand, CodecReply>;

export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments(args, OPTIONS);
  if (values.help === true) {
    process.stdout.write(USAGE);
    return 0;
  }
  requireProgram('taskset', 'util-linux');
  const names = CONTESTANT_ORDER.filter((name) => name !== NO_SERIALIZER);
  const unknown = positionals.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new BenchError('USAGE', `no serializer is called "${unknown}"`);
  const isQuick = values.quick === true;
  const report = await measure(
    positionals.length === 0 ? names : positionals,
    isQuick ? 1 : Math.ceil(positiveNumber('--rounds', values.rounds)),
    isQuick ? QUICK_SECONDS : positiveNumber('--seconds', values.seconds),
    values.cpu!,
  );
  process.stdout.write(`${codecMarkdown(report)}\n`);
  const targets = codecTargets(report);
  for (const { title, value, wanted, met } of targets) {
    process.stdout.write(`${met ? 'met   ' : 'MISSED'} ${value.toFixed(2)} (${wanted}) ${title}\n`);
  }
  if (!isQuick && values['no-write'] !== true && positionals.length === 0) {
    write(values.out ?? EVALUATION, report);
  }
  return targets.every(({ met }) => met) ? 0 : 1;
}

async function measure(
  names: readonly string[],
  rounds: number,
  seconds: number,
  cpu: string,
): Promise<CodecReport> {
  const processes = new Processes();
  const referenceBytesMin = Math.min(storedThreshold('nic'), NEVER_BYTES);
  try {
    const codecs: { name: string; codec: Codec }[] = [];
    for (const name of names) {
      const codec: Codec = new PeerProcess(processes, name, '../../codec/process.ts', cpu, FLAGS);
      await codec.ask({ kind: 'prepare', serializer: name, referenceBytesMin }, 'ready');
      codecs.push({ name, codec });
    }
    const runs = new Map<string, CodecNumbers[]>();
    const allocations = new Map<string, Allocations>();
    for (const message of MESSAGES) {
      for (const { name, codec } of codecs) {
        await codec.ask({ kind: 'measure', message: message.name, seconds: WARM_SECONDS }, 'measured');
        runs.set(`${name} ${message.name}`, []);
      }
      for (let round = 0; round < rounds; round++) {
        for (const { name, codec } of codecs) {
          const reply = await codec.ask({ kind: 'measure', message: message.name, seconds }, 'measured');
          runs.get(`${name} ${message.name}`)!.push(reply.numbers);
        }
      }
    }
    // Counting allocations slows a process down for good, so it comes last.
    for (const message of MESSAGES) {
      for (const { name, codec } of codecs) {
        const reply = await codec.ask({ kind: 'allocations', message: message.name }, 'allocated');
        allocations.set(`${name} ${message.name}`, reply.allocations);
      }
    }
    const results = names.flatMap((serializer) =>
      MESSAGES.map(({ name: message }) => ({
        serializer,
        message,
        runs: runs.get(`${serializer} ${message}`)!,
        allocations: allocations.get(`${serializer} ${message}`)!,
      })),
    );
    return { machine: describeBenchMachine(), rounds, seconds, results };
  } finally {
    await processes.endAll();
  }
}

function write(folder: string, report: CodecReport): void {
  mkdirSync(folder, { recursive: true });
  const files: [name: string, text: string][] = [
    ['codec.json', `${JSON.stringify(report, undefined, 1)}\n`],
    ['codec.svg', drawCodec(report)],
    ['codec.md', codecMarkdown(report)],
  ];
  for (const [name, text] of files) {
    writeFileSync(join(folder, name), text);
    process.stdout.write(`wrote ${join(folder, name)}\n`);
  }
}

/**
 * The load generator's process: does what it is told by messages, one at a time, and ends with its parent.
 */
import { BenchError } from '../errors.ts';
import { LoadGenerator } from './generator.ts';
import { layOutMemory } from './load-memory.ts';
import { openLoadTransport } from './load-transport.ts';
import type { LoadCommand, LoadReply } from './plan.ts';

let generator: LoadGenerator | undefined;

async function obey(command: LoadCommand): Promise<LoadReply> {
  if (command.kind === 'prepare') {
    const memory = layOutMemory(command.space);
    generator = await LoadGenerator.create(memory, (given, handler) =>
      openLoadTransport(given, handler, command.transport),
    );
    return { kind: 'ready', transport: generator.transportKind };
  }
  if (generator === undefined) throw new BenchError('LOAD', 'told to run before it was told what');
  return { kind: 'result', result: generator.run(command.plan) };
}

process.on('message', (message) => {
  obey(message as LoadCommand)
    .catch((error: unknown): LoadReply => {
      const { code, message: text } = BenchError.from(error);
      return { kind: 'failed', code, text };
    })
    .then((reply) => process.send?.(reply));
});
process.on('disconnect', () => process.exit(0));

/**
 * The transport that the load generator asks through: the datapath's own, so that its cost per request is as
 * low as the server's.
 */
import { loadTransport, selectTransport, type TransportHandler } from '@larder/datapath';
import { BenchError } from '../errors.ts';
import type { LoadSession } from './connection-stream.ts';
import type { LoadTransport } from './generator.ts';
import type { LoadMemory } from './load-memory.ts';

/** A peer that answers slowly is what is being measured, so nothing is closed for it. */
const NEVER_MS = 24 * 3600 * 1000;

export async function openLoadTransport(
  memory: LoadMemory,
  handler: TransportHandler<LoadSession>,
  requested: string | undefined,
): Promise<LoadTransport> {
  // The environment variable is about the server under test, not about the load generator.
  const kind = selectTransport(requested, {});
  if (kind === 'node') {
    throw new BenchError(
      'LOAD',
      'the load generator needs io_uring or epoll, and this system offers neither',
    );
  }
  const make = await loadTransport<LoadSession>(kind);
  return make({
    arena: memory.arena,
    allocator: memory.allocator,
    handler,
    clock: () => performance.now(),
    limits: { slowReaderMs: NEVER_MS },
  });
}

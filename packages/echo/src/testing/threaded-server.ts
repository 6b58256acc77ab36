/** The other end of server-thread.ts. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

export interface ServerCounts {
  readonly echoed: number;
  readonly refused: number;
  readonly chunksUsed: number;
}

export class ThreadedServer {
  readonly port: number;
  readonly #worker: Worker;

  private constructor(worker: Worker, port: number) {
    this.#worker = worker;
    this.port = port;
  }

  static async start(serializer: string): Promise<ThreadedServer> {
    const worker = new Worker(new URL('./server-thread.ts', import.meta.url), { workerData: { serializer } });
    const [port] = (await once(worker, 'message')) as [number];
    return new ThreadedServer(worker, port);
  }

  async counts(): Promise<ServerCounts> {
    this.#worker.postMessage('counts');
    const [counts] = (await once(this.#worker, 'message')) as [ServerCounts];
    return counts;
  }

  /** What is left when the transport has given everything back. */
  async stop(): Promise<ServerCounts> {
    this.#worker.postMessage('stop');
    const [[counts]] = await Promise.all([
      once(this.#worker, 'message') as Promise<[ServerCounts]>,
      once(this.#worker, 'exit'),
    ]);
    return counts;
  }
}

/** Starts the worker threads, waits until all serve, tells them things, and ends them: in order, or by force. */
import { Worker } from 'node:worker_threads';
import { type WakerHandle, wake } from '@larder/datapath';
import { RouterError } from '../errors.ts';
import { START_WAIT_MS, STOP_WAIT_MS } from '../limits.ts';
import type { MessageFromWorker, MessageToWorker, WorkerInput } from './messages.ts';

export interface WorkerPoolOptions {
  readonly entry: URL;
  readonly inputs: readonly WorkerInput[];
  onMessage(worker: number, message: MessageFromWorker): void;
  /** A worker died although nobody had asked it to stop. */
  onDeath(worker: number, error: Error): void;
}

interface Member {
  readonly thread: Worker;
  waker: WakerHandle | undefined;
  isServing: boolean;
  hasExited: boolean;
}

export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #members: Member[] = [];
  #isStopping = false;
  #startError: Error | undefined;
  #onProgress: () => void = () => {};

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /** Resolves when every worker serves. */
  async start(): Promise<void> {
    for (const input of this.#options.inputs) this.#spawn(input);
    const isStarted = await this.#until(
      () => this.#startError !== undefined || this.#members.every((member) => member.isServing),
      START_WAIT_MS,
    );
    if (this.#startError !== undefined) throw RouterError.from(this.#startError);
    if (!isStarted) throw new RouterError('WORKER', `the workers did not start within ${START_WAIT_MS} ms`);
  }

  /** Tells every worker, and wakes it to listen. */
  tell(message: MessageToWorker): void {
    for (const { thread, waker, hasExited } of this.#members) {
      if (hasExited) continue;
      thread.postMessage(message);
      if (waker !== undefined) wake(waker);
    }
  }

  /** Ends all workers; returns whether all of them left in order. */
  async stop(): Promise<boolean> {
    this.#isStopping = true;
    this.tell({ type: 'stop' });
    const hasExited = (): boolean => this.#members.every((member) => member.hasExited);
    if (await this.#until(hasExited, STOP_WAIT_MS)) return true;
    for (const { thread, waker, hasExited: isGone } of this.#members) {
      if (isGone) continue;
      void thread.terminate();
      // A thread inside the kernel ends only when it comes back to JavaScript.
      if (waker !== undefined) wake(waker);
    }
    await this.#until(hasExited, STOP_WAIT_MS);
    return false;
  }

  #spawn(input: WorkerInput): void {
    const thread = new Worker(this.#options.entry, {
      workerData: input,
      name: `larder-router-${input.index}`,
    });
    const member: Member = { thread, waker: undefined, isServing: false, hasExited: false };
    this.#members.push(member);
    thread.on('message', (message: MessageFromWorker) => {
      if (message.type === 'ready') member.waker = message.waker;
      if (message.type === 'serving') member.isServing = true;
      this.#options.onMessage(input.index, message);
      this.#onProgress();
    });
    thread.on('error', (error) =>
      this.#died(member, input.index, error instanceof Error ? error : new Error(String(error))),
    );
    thread.on('exit', (code) => {
      if (!this.#isStopping) this.#died(member, input.index, new Error(`the thread ended with code ${code}`));
      member.hasExited = true;
      this.#onProgress();
    });
  }

  #died(member: Member, index: number, error: Error): void {
    if (member.hasExited) return;
    member.hasExited = true;
    this.#startError ??= error;
    this.#onProgress();
    if (!this.#isStopping) this.#options.onDeath(index, error);
  }

  /** Resolves with whether `isReached` held within that time. */
  #until(isReached: () => boolean, waitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (hasHeld: boolean): void => {
        clearTimeout(timer);
        this.#onProgress = () => {};
        resolve(hasHeld);
      };
      const timer = setTimeout(() => finish(false), waitMs);
      this.#onProgress = () => {
        if (isReached()) finish(true);
      };
      this.#onProgress();
    });
  }
}

/**
 * Starts the worker threads, waits until all serve, and ends them: in order by a control word and their
 * wakers, or, when one does not come back, by force.
 *
 * ```
 *   spawn ──ready(waker)──▶ all ready ──start(wakers)──▶ serving ──stop word + wake──▶ stopped
 *                 └───────────── error or early exit: onDeath ─────────────┘
 * ```
 */

import { Worker } from 'node:worker_threads';
import { type WakerHandle, wake } from '@larder/datapath';
import { ServerError } from '../errors.ts';
import { START_WAIT_MS, STOP_WAIT_MS } from '../limits.ts';
import { Control } from './control.ts';
import type { MessageFromWorker, MessageToWorker, WorkerInput } from './messages.ts';

/**
 * Workers allocate next to nothing while they serve; without a bound V8 would let each one's young generation
 * grow to several times what it uses.
 */
const YOUNG_GENERATION_MB = 3;

export interface WorkerPoolOptions {
  /** The module that every worker runs. */
  readonly entry: URL;
  readonly inputs: readonly WorkerInput[];
  readonly control: Int32Array;
  onMessage(worker: number, message: MessageFromWorker): void;
  /** A worker died although nobody had asked it to stop. */
  onDeath(worker: number, error: Error): void;
}

interface Member {
  readonly thread: Worker;
  waker: WakerHandle | undefined;
  hasExited: boolean;
}

export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #members: Member[] = [];
  #isStopping = false;
  #onProgress: () => void = () => {};
  #startError: Error | undefined;
  #serving = 0;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /** Resolves when every worker serves. */
  async start(): Promise<void> {
    for (const input of this.#options.inputs) this.#spawn(input);
    await this.#until(() => this.#members.every((member) => member.waker !== undefined));
    const start: MessageToWorker = { type: 'start', wakers: this.#members.map((member) => member.waker!) };
    for (const member of this.#members) member.thread.postMessage(start);
    await this.#until(() => this.#serving === this.#members.length);
  }

  /** Wakes every worker: they look at the control words, their mailboxes and their clocks. */
  wakeAll(): void {
    for (const member of this.#members) {
      if (!member.hasExited && member.waker !== undefined) wake(member.waker);
    }
  }

  /** Ends all workers; returns whether all of them left in order. */
  async stop(): Promise<boolean> {
    this.#isStopping = true;
    Atomics.store(this.#options.control, Control.stop, 1);
    this.wakeAll();
    const inOrder = await this.#allExited(STOP_WAIT_MS);
    if (inOrder) return true;
    // A thread inside the kernel ends only when it comes back to JavaScript: terminate, then wake it.
    for (const member of this.#members) {
      if (!member.hasExited) void member.thread.terminate();
    }
    this.wakeAll();
    await this.#allExited(STOP_WAIT_MS);
    return false;
  }

  #spawn(input: WorkerInput): void {
    const thread = new Worker(this.#options.entry, {
      workerData: input,
      name: `larder-${input.index}`,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    const member: Member = { thread, waker: undefined, hasExited: false };
    this.#members.push(member);
    thread.on('message', (message: MessageFromWorker) => this.#receive(member, input.index, message));
    thread.on('error', (error) =>
      this.#died(member, input.index, error instanceof Error ? error : new Error(String(error))),
    );
    thread.on('exit', (code) => {
      if (!this.#isStopping) this.#died(member, input.index, new Error(`the thread ended with code ${code}`));
      member.hasExited = true;
      this.#onProgress();
    });
  }

  #receive(member: Member, index: number, message: MessageFromWorker): void {
    if (message.type === 'ready') member.waker = message.waker;
    if (message.type === 'serving') this.#serving++;
    this.#options.onMessage(index, message);
    this.#onProgress();
  }

  #died(member: Member, index: number, error: Error): void {
    if (member.hasExited) return;
    member.hasExited = true;
    this.#startError ??= error;
    this.#onProgress();
    if (!this.#isStopping) this.#options.onDeath(index, error);
  }

  /** Resolves when `isReached`; rejects when a worker fails before that, or takes too long. */
  #until(isReached: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#onProgress = () => {};
        reject(new ServerError('WORKER', `the workers did not start within ${START_WAIT_MS} ms`));
      }, START_WAIT_MS);
      this.#onProgress = () => {
        const error = this.#startError;
        if (error === undefined && !isReached()) return;
        clearTimeout(timer);
        this.#onProgress = () => {};
        if (error === undefined) resolve();
        else reject(ServerError.from(error));
      };
      this.#onProgress();
    });
  }

  #allExited(waitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (inOrder: boolean) => {
        clearTimeout(timer);
        this.#onProgress = () => {};
        resolve(inOrder);
      };
      const timer = setTimeout(() => finish(false), waitMs);
      this.#onProgress = () => {
        if (this.#members.every((member) => member.hasExited)) finish(true);
      };
      this.#onProgress();
    });
  }
}

/**
 * Starts the worker threads, waits until all serve, tells them things, and ends them: in order, or, when one does
 * not come back, by force.
 *
 * ```
 *   spawn ──ready(waker)──▶ all ready ──start(wakers)──▶ serving ──asked to stop + woken──▶ stopped
 *                 └───────────── error or early exit: onDeath ─────────────┘
 * ```
 */
import { Worker } from 'node:worker_threads';
import { type WakerHandle, wake } from '@larder/datapath';
import { HostError } from '../errors.ts';
import { START_WAIT_MS, STOP_WAIT_MS } from '../limits.ts';
import { isLifeMessage, type LifeMessage, type LogMessage, type StartMessage } from './messages.ts';

export interface WorkerPoolOptions<
  Input extends { readonly index: number },
  FromWorker extends { readonly type: string },
> {
  /** The module that every worker runs. */
  readonly entry: URL;
  /** What each worker thread is called, before its number. */
  readonly threadName: string;
  /** What each of them begins with. */
  readonly inputs: readonly Input[];
  /** Bound of V8's young generation; without one it grows to several times what such a thread uses. */
  readonly youngGenerationMb?: number;
  /** Tells the workers to stop; they are woken afterwards. */
  requestStop(pool: { tell(message: object): void }): void;
  /** What is not about the worker's own life. */
  onMessage(worker: number, message: FromWorker): void;
}

export interface WorkerPoolObserver {
  onLog(worker: number, message: LogMessage): void;
  /** A worker died although nobody had asked it to stop. */
  onDeath(worker: number, error: Error): void;
}

interface Member {
  readonly thread: Worker;
  waker: WakerHandle | undefined;
  isServing: boolean;
  hasExited: boolean;
}

export class WorkerPool<
  Input extends { readonly index: number },
  FromWorker extends { readonly type: string },
> {
  readonly #options: WorkerPoolOptions<Input, FromWorker>;
  readonly #observer: WorkerPoolObserver;
  readonly #members: Member[] = [];
  #isStopping = false;
  #onProgress: () => void = () => {};
  #startError: Error | undefined;

  constructor(options: WorkerPoolOptions<Input, FromWorker>, observer: WorkerPoolObserver) {
    this.#options = options;
    this.#observer = observer;
  }

  /** Resolves when every worker serves. */
  async start(): Promise<void> {
    const members = this.#members;
    for (const input of this.#options.inputs) this.#spawn(input);
    await this.#untilStarted(() => members.every((member) => member.waker !== undefined));
    const start: StartMessage = { type: 'start', wakers: members.map((member) => member.waker!) };
    for (const { thread } of members) thread.postMessage(start);
    await this.#untilStarted(() => members.every((member) => member.isServing));
  }

  /** Sends a message to every worker, and wakes it to listen. */
  tell(message: object): void {
    for (const { thread, hasExited } of this.#members) {
      if (!hasExited) thread.postMessage(message);
    }
    this.wakeAll();
  }

  /** Wakes every worker: they look at what they share, and at their clocks. */
  wakeAll(): void {
    for (const { hasExited, waker } of this.#members) {
      if (!hasExited && waker !== undefined) wake(waker);
    }
  }

  /** Ends all workers; returns whether all of them left in order. */
  async stop(): Promise<boolean> {
    this.#isStopping = true;
    this.#options.requestStop(this);
    this.wakeAll();
    const haveExited = (): boolean => this.#members.every((member) => member.hasExited);
    if (await this.#until(haveExited, STOP_WAIT_MS)) return true;
    // A thread inside the kernel ends only when it comes back to JavaScript: terminate, then wake it.
    for (const member of this.#members) {
      if (!member.hasExited) void member.thread.terminate();
    }
    this.wakeAll();
    await this.#until(haveExited, STOP_WAIT_MS);
    return false;
  }

  #spawn(input: Input): void {
    const { entry, threadName, youngGenerationMb } = this.#options;
    const thread = new Worker(entry, {
      workerData: input,
      name: `${threadName}-${input.index}`,
      ...(youngGenerationMb === undefined
        ? {}
        : { resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb } }),
    });
    const member: Member = { thread, waker: undefined, isServing: false, hasExited: false };
    this.#members.push(member);
    thread.on('message', (message: LifeMessage | FromWorker) => this.#receive(member, input.index, message));
    thread.on('error', (error) =>
      this.#died(member, input.index, error instanceof Error ? error : new Error(String(error))),
    );
    thread.on('exit', (code) => {
      if (!this.#isStopping) this.#died(member, input.index, new Error(`the thread ended with code ${code}`));
      member.hasExited = true;
      this.#onProgress();
    });
  }

  #receive(member: Member, index: number, message: LifeMessage | FromWorker): void {
    if (!isLifeMessage(message)) {
      this.#options.onMessage(index, message);
      return;
    }
    if (message.type === 'log') this.#observer.onLog(index, message);
    else if (message.type === 'ready') member.waker = message.waker;
    else if (message.type === 'serving') member.isServing = true;
    this.#onProgress();
  }

  #died(member: Member, index: number, error: Error): void {
    if (member.hasExited) return;
    member.hasExited = true;
    this.#startError ??= error;
    this.#onProgress();
    if (!this.#isStopping) this.#observer.onDeath(index, error);
  }

  /** Throws when a worker fails before `isReached`, or takes too long. */
  async #untilStarted(isReached: () => boolean): Promise<void> {
    const isStarted = await this.#until(() => this.#startError !== undefined || isReached(), START_WAIT_MS);
    if (this.#startError !== undefined) throw HostError.from(this.#startError);
    if (!isStarted) throw new HostError('WORKER', `the workers did not start within ${START_WAIT_MS} ms`);
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

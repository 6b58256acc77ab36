/**
 * Signals that end the server: once in order, a second Ctrl-C at once. It listens from before the server
 * starts, because whoever sees the server's address may send a signal right away, and dying of it would leave
 * the memory file unclean; a signal that comes too early is carried out as soon as the server runs.
 */

/** What can be ended in order: a server, a router. */
export interface Stoppable {
  stop(reason?: string): Promise<void>;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGUSR1'] as const;
const KILLED_EXIT_CODE = 130;

export class StopSignals {
  #server: Stoppable | undefined;
  #onStop: () => void = () => {};
  #received = '';

  constructor() {
    for (const signal of SIGNALS) process.on(signal, () => this.#receive(signal));
  }

  /** From now on signals stop this server; `onStop` is called before the first does. */
  attach(server: Stoppable, onStop: () => void = () => {}): void {
    this.#server = server;
    this.#onStop = onStop;
    if (this.#received !== '') this.#stop();
  }

  #receive(signal: (typeof SIGNALS)[number]): void {
    if (this.#received !== '') {
      if (signal === 'SIGINT') process.exit(KILLED_EXIT_CODE);
      return;
    }
    this.#received = signal;
    this.#stop();
  }

  #stop(): void {
    if (this.#server === undefined) return;
    this.#onStop();
    void this.#server.stop(this.#received);
  }
}

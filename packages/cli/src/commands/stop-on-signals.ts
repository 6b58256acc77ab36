/** Signals that end the server: once in order, a second time at once. */
import type { RunningServer } from '@larder/server';

const KILLED_EXIT_CODE = 130;

export function stopOnSignals(server: RunningServer, onFirst: () => void = () => {}): void {
  let isStopping = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGUSR1'] as const) {
    process.on(signal, () => {
      if (isStopping && signal === 'SIGINT') process.exit(KILLED_EXIT_CODE);
      if (isStopping) return;
      isStopping = true;
      onFirst();
      void server.stop(signal);
    });
  }
}

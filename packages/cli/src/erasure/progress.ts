/** A progress bar on the terminal, and nothing where standard error is none. */
import cliProgress, { type SingleBar } from 'cli-progress';

const MEBIBYTE = 1024 * 1024;
const REDRAWS_PER_SECOND = 10;

export class Progress {
  readonly #bar: SingleBar | undefined;
  #done = 0;

  constructor(title: string, bytes: number) {
    if (process.stderr.isTTY !== true || bytes === 0) return;
    this.#bar = new cliProgress.SingleBar({
      stream: process.stderr,
      fps: REDRAWS_PER_SECOND,
      hideCursor: true,
      clearOnComplete: true,
      format: '{title} {bar} {percentage}% of {size}, {eta_formatted} left',
      barCompleteChar: '█',
      barIncompleteChar: '░',
    });
    this.#bar.start(bytes, 0, { title, size: `${(bytes / MEBIBYTE).toFixed(1)} MiB` });
  }

  add(bytes: number): void {
    this.#done += bytes;
    this.#bar?.update(this.#done);
  }

  stop(): void {
    this.#bar?.stop();
  }
}

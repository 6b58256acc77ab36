/**
 * What waits in the spool's folder, whichever worker or process wrote it. Counting reads directories, so that it is
 * done when somebody asks, and at most once a second.
 */
import { type SpoolContents, spoolContents } from '@larder/routing';
import { SPOOL_LOOK_MS } from '../limits.ts';

export class SpoolWatch {
  readonly #folder: string;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #contents: SpoolContents = { segments: 0, entries: 0, bytes: 0, oldestAtMs: undefined };

  /** '' when there is no spool. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  contents(): SpoolContents {
    const nowMs = performance.now();
    if (this.#folder !== '' && nowMs - this.#lookedAtMs >= SPOOL_LOOK_MS) {
      this.#contents = spoolContents(this.#folder);
      this.#lookedAtMs = performance.now();
    }
    return this.#contents;
  }
}

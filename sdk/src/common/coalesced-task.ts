import { Pause, retrying } from "./retrying.ts";

/**
 * Repeats `work` on request: one run at a time, all requests made during a run served by one run after it.
 *
 * A transient failure is retried with growing waits, `attempts` times (by default without end); any other
 * failure ends the run, since the next request starts a new one.
 *
 * A request must be followed by a run that *began* after it, because the run under way may already have read
 * what the request is about. A retry is such a run, so each attempt clears the mark that a request set; only
 * requests made during the attempt that succeeded lead to one more. sdk/test/common/retrying.test.ts
 * proves it.
 */
export class CoalescedTask {
  readonly #work: () => Promise<void>;
  readonly #attempts: number;
  readonly #pause = new Pause();
  #running: Promise<void> | null = null;
  #isRequested = false;

  constructor(work: () => Promise<void>, attempts = Infinity) {
    this.#work = work;
    this.#attempts = attempts;
  }

  get isStopped(): boolean {
    return this.#pause.isClosed;
  }

  /** Resolves when a run that began after this call is over, successful or given up. */
  request(): Promise<void> {
    if (this.isStopped) return Promise.resolve();
    this.#isRequested = true;
    this.#pause.cut();
    this.#running ??= this.#runWhileRequested();
    return this.#running;
  }

  stop(): void {
    this.#pause.close();
  }

  async #runWhileRequested(): Promise<void> {
    while (this.#isRequested && !this.isStopped) {
      await retrying(() => this.#attempt(), { pause: this.#pause, attempts: this.#attempts }).catch(() => undefined);
    }
    this.#running = null; // In the same step as the last look at the mark: a request in between would be lost.
  }

  #attempt(): Promise<void> {
    this.#isRequested = false;
    return this.#work();
  }
}

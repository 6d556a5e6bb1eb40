import { backoffMs } from "./backoff.ts";
import { asChatError } from "./errors.ts";

/** Waits that can be ended early: all at once by `cut`, and for good by `close`. */
export class Pause {
  readonly #waits = new Set<() => void>();
  #isClosed = false;

  /** Whether somebody waits now. */
  get isWaiting(): boolean {
    return this.#waits.size > 0;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  wait(ms: number): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#waits.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#waits.add(end);
    });
  }

  cut(): void {
    for (const end of [...this.#waits]) end();
  }

  close(): void {
    this.#isClosed = true;
    this.cut();
  }
}

export interface RetryOptions {
  /** The waits between attempts; closing it ends the retries. */
  readonly pause: Pause;
  /** Give up after this many attempts; by default never. */
  readonly attempts?: number;
}

/**
 * Call `attempt` until it succeeds, and return its result.
 *
 * Between attempts it waits as long as the service asked, else with growing, random waits. It throws the
 * last ChatError when that one is not transient, when the attempts are used up, or when `pause` is closed.
 */
export async function retrying<T>(attempt: () => Promise<T>, { pause, attempts = Infinity }: RetryOptions): Promise<T> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt();
    } catch (thrown) {
      const error = asChatError(thrown);
      if (!error.isTransient || failures + 1 >= attempts) throw error;
      await pause.wait(error.retryAfterMs ?? backoffMs(failures));
      if (pause.isClosed) throw error;
    }
  }
}

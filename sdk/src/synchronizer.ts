import type { ChatApi } from "./api.ts";
import { Pause, backoffMs } from "./backoff.ts";
import { asChatError } from "./errors.ts";
import type { SyncItem } from "./types.ts";

/** Messages per conversation and answer; an open conversation fetches the rest from history. */
const LIMIT = 20;
const ATTEMPTS = 5;

export interface SyncTarget {
  positions(): Record<string, number>;
  /**
   * Merge one item. Items come newest activity first; false says that this one and so those after it
   * lie beyond what this client shows, and need not be asked for.
   */
  take(item: SyncItem): boolean;
  /** Called after a whole pass: everything up to its beginning is known now. */
  done(): void | Promise<void>;
}

/** Asks for what was missed. One pass at a time; a request during a pass means one more after it. */
export class Synchronizer {
  readonly #api: Pick<ChatApi, "sync">;
  readonly #target: SyncTarget;
  readonly #pause = new Pause();
  #running: Promise<void> | null = null;
  #again = false;
  #stopped = false;

  constructor(api: Pick<ChatApi, "sync">, target: SyncTarget) {
    this.#api = api;
    this.#target = target;
  }

  /** Resolves when a pass that began after this call is over, successful or given up. */
  request(): Promise<void> {
    if (this.#running) {
      this.#again = true;
      this.#pause.cut();
      return this.#running;
    }
    this.#running = this.#run().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  stop(): void {
    this.#stopped = true;
    this.#pause.cut();
  }

  async #run(): Promise<void> {
    do {
      this.#again = false;
      await this.#passWithRetries();
    } while (this.#wantsAnother());
  }

  #wantsAnother(): boolean {
    return this.#again && !this.#stopped;
  }

  async #passWithRetries(): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS && !this.#stopped; attempt += 1) {
      try {
        await this.#pass();
        await this.#target.done();
        return;
      } catch (thrown) {
        const error = asChatError(thrown);
        if (!error.isTransient) return;
        await this.#pause.wait(error.retryAfterMs ?? backoffMs(attempt));
      }
    }
  }

  async #pass(): Promise<void> {
    const positions = this.#target.positions();
    for (let more = true; more && !this.#stopped; ) {
      const answer = await this.#api.sync(positions, LIMIT);
      let wanted = answer.items.length > 0;
      for (const item of answer.items) {
        wanted = this.#target.take(item) && wanted;
        positions[item.conversationId] = Math.max(positions[item.conversationId] ?? 0, item.latestSequence);
      }
      more = answer.more && wanted;
    }
  }
}

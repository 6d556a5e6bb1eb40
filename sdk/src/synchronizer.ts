import type { ChatApi } from "./api.ts";
import { Pause, backoffMs } from "./backoff.ts";
import { asChatError } from "./errors.ts";
import type { SyncItem } from "./types.ts";

/** Messages per conversation and answer; an open conversation fetches the rest from history. */
const LIMIT = 20;
const ATTEMPTS = 5;

export interface SyncTarget {
  /** Where this client stands in the conversations it holds messages of; the others need no messages. */
  positions(): Record<string, number>;
  take(item: SyncItem): void;
  /** This user is no member of that conversation any more. */
  remove(conversationId: string): void;
  /** Read the list anew: the service cannot tell what changed in it. */
  reload(): Promise<void>;
  /** Called after a whole pass, with what it brought: everything up to its beginning is known now. */
  done(changed: ReadonlySet<string> | "everything"): void | Promise<void>;
}

/**
 * Asks for what was missed. One pass at a time; a request during a pass means one more after it.
 *
 * The cursor of an answer says up to where this client knows what changed, so a pass costs what changed
 * since, not what exists. It is asked for before the list is read: what happens between the two comes with
 * the next pass, twice rather than never.
 */
export class Synchronizer {
  readonly #api: Pick<ChatApi, "sync">;
  readonly #target: SyncTarget;
  readonly #pause = new Pause();
  #cursor: string | null = null;
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
        await this.#target.done(await this.#pass());
        return;
      } catch (thrown) {
        const error = asChatError(thrown);
        if (!error.isTransient) return;
        await this.#pause.wait(error.retryAfterMs ?? backoffMs(attempt));
      }
    }
  }

  async #pass(): Promise<ReadonlySet<string> | "everything"> {
    const changed = new Set<string>();
    for (let more = true; more && !this.#stopped; ) {
      if (this.#cursor === null) return this.#begin();
      const answer = await this.#api.sync(this.#target.positions(), LIMIT, this.#cursor);
      if (answer.reset) return this.#begin();
      for (const item of answer.items) {
        changed.add(item.conversationId);
        this.#target.take(item);
      }
      for (const conversationId of answer.removed ?? []) this.#target.remove(conversationId);
      this.#cursor = answer.cursor;
      more = answer.more;
    }
    return changed;
  }

  async #begin(): Promise<"everything"> {
    this.#cursor = null;
    const { cursor } = await this.#api.sync({}, LIMIT, "now");
    await this.#target.reload();
    this.#cursor = cursor;
    return "everything";
  }
}

import { CoalescedTask } from "../common/coalesced-task.ts";
import type { ChatApi } from "../connection/api.ts";
import type { SyncItem } from "../types.ts";

/** Messages per conversation and answer; an open conversation fetches the rest from history. */
const LIMIT = 20;
const ATTEMPTS = 5;

/** What a sync changes: `Conversations` in the client. */
export interface SyncTarget {
  /** The newest sequence of each conversation whose messages this client holds; the others need no messages. */
  positions(): Record<string, number>;
  mergeSyncItem(item: SyncItem): void;
  /** Remove a conversation of which this user is not a member any more. */
  remove(conversationId: string): void;
  /** Called after a complete pass with the conversations that changed; null says that any may have changed. */
  afterSync(changed: ReadonlySet<string> | null): void | Promise<void>;
}

/**
 * Asks the service what this client missed. One pass at a time; a request during a pass means one more after it.
 *
 * The cursor of an answer marks a point in time: everything before it is merged here, so the next pass costs
 * what changed since, not what exists. Two things could lose a change, and the order excludes both. The first
 * cursor is asked for *before* the list is read: what happens in between comes with the next pass, twice rather
 * than never. And a new cursor is kept only *after* its answer was merged: when a pass fails half-way, the
 * next attempt asks from the old cursor, and merging an item twice changes nothing. A cursor that the service
 * cannot honour (`reset`) is dropped, and the list is read again in the same order.
 * sdk/test/conversations/synchronizer.test.ts proves the order, tests/integration/app/test_sync.py the service's half.
 */
export class Synchronizer {
  readonly #api: Pick<ChatApi, "sync">;
  readonly #target: SyncTarget;
  readonly #list: { reload(): Promise<void> };
  readonly #passes = new CoalescedTask(() => this.#completePass(), ATTEMPTS);
  #cursor: string | null = null;

  constructor(api: Pick<ChatApi, "sync">, target: SyncTarget, list: { reload(): Promise<void> }) {
    this.#api = api;
    this.#target = target;
    this.#list = list;
  }

  /** Resolves when a pass that began after this call is over, successful or given up. */
  request(): Promise<void> {
    return this.#passes.request();
  }

  stop(): void {
    this.#passes.stop();
  }

  async #completePass(): Promise<void> {
    await this.#target.afterSync(await this.#pass());
  }

  async #pass(): Promise<ReadonlySet<string> | null> {
    const changed = new Set<string>();
    for (let more = true; more && !this.#passes.isStopped; ) {
      if (this.#cursor === null) return this.#begin();
      const answer = await this.#api.sync(this.#target.positions(), LIMIT, this.#cursor);
      if (answer.reset) return this.#begin();
      for (const item of answer.items) {
        changed.add(item.conversationId);
        this.#target.mergeSyncItem(item);
      }
      for (const conversationId of answer.removed ?? []) this.#target.remove(conversationId);
      this.#cursor = answer.cursor;
      more = answer.more;
    }
    return changed;
  }

  async #begin(): Promise<null> {
    this.#cursor = null;
    const { cursor } = await this.#api.sync({}, LIMIT, "now");
    await this.#list.reload();
    this.#cursor = cursor;
    return null;
  }
}

import { asChatError } from "../common/errors.ts";
import { Pause, retrying } from "../common/retrying.ts";
import type { Watermarks } from "./receipts.ts";

const COALESCE_MS = 150;
const PARALLEL = 4;
const NONE: Watermarks = { delivered: 0, read: 0 };

type SendAcknowledgement = (conversationId: string, marks: Partial<Watermarks>) => Promise<Watermarks>;

/**
 * Tells the service how far this user has got: at most one call per conversation in 150 ms, never backwards,
 * and again after a transient failure.
 *
 * Per conversation it keeps what is *wanted* (the highest marks asked for) and what is *acknowledged* (what the
 * service is known to have), and calls while the first exceeds the second. Both only grow, so marks that arrive
 * out of order, twice or during a call cannot take a watermark back: a call sends what is due at that moment,
 * and its success is followed by one more look. One exception: the service may have lost marks (they are
 * flushed to storage after the answer, docs/reliability.md). `setAcknowledged` therefore replaces what is
 * believed by what a sync says, and what was lost is sent again. sdk/test/receipts/acknowledger.test.ts proves it.
 */
export class Acknowledger {
  readonly #send: SendAcknowledgement;
  readonly #wanted = new Map<string, Watermarks>();
  readonly #acknowledged = new Map<string, Watermarks>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #calling = new Set<string>();
  readonly #pause = new Pause();
  #queue: string[] = [];

  constructor(send: SendAcknowledgement) {
    this.#send = send;
  }

  /** Ask for the watermarks to be at least these. */
  raise(conversationId: string, marks: Partial<Watermarks>): void {
    merge(this.#wanted, conversationId, marks);
    this.#schedule(conversationId);
  }

  /** Note marks that the service is known to have, from a push or an answer. */
  mergeAcknowledged(conversationId: string, marks: Partial<Watermarks>): void {
    merge(this.#acknowledged, conversationId, marks);
  }

  /** Replace what the service is believed to have by what it says, and send again what it has lost. */
  setAcknowledged(conversationId: string, marks: Watermarks): void {
    this.#acknowledged.set(conversationId, { delivered: marks.delivered, read: marks.read });
    this.#schedule(conversationId);
  }

  /** End the wait after a failure. */
  retryNow(): void {
    this.#pause.cut();
  }

  /** Make no more calls. The next client acknowledges the rest, from what it then shows. */
  stop(): void {
    this.#pause.close();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#queue = [];
  }

  #schedule(id: string): void {
    if (this.#pause.isClosed || !this.#due(id) || this.#timers.has(id)) return;
    this.#timers.set(
      id,
      setTimeout(() => {
        this.#timers.delete(id);
        this.#queue.push(id);
        this.#startCalls();
      }, COALESCE_MS),
    );
  }

  /** While one call waits after a failure, no other begins: the service asked this user to slow down, or is down. */
  #startCalls(): void {
    while (!this.#pause.isWaiting && this.#calling.size < PARALLEL) {
      const index = this.#queue.findIndex((id) => !this.#calling.has(id));
      if (index < 0) return;
      const [id = ""] = this.#queue.splice(index, 1);
      this.#calling.add(id);
      void this.#acknowledge(id).finally(() => {
        this.#calling.delete(id);
        this.#schedule(id);
        this.#startCalls();
      });
    }
  }

  async #acknowledge(id: string): Promise<void> {
    let marks: Partial<Watermarks> = {};
    try {
      await retrying(async () => {
        const due = this.#due(id);
        if (!due) return;
        marks = due;
        this.mergeAcknowledged(id, await this.#send(id, marks));
        this.mergeAcknowledged(id, marks);
      }, { pause: this.#pause });
    } catch (thrown) {
      // Refused for good: as good as acknowledged, or it would be sent for ever.
      if (!asChatError(thrown).isTransient) this.mergeAcknowledged(id, marks);
    }
  }

  #due(id: string): Partial<Watermarks> | null {
    const wanted = this.#wanted.get(id) ?? NONE;
    const acknowledged = this.#acknowledged.get(id) ?? NONE;
    const marks = {
      ...(wanted.delivered > acknowledged.delivered ? { delivered: wanted.delivered } : {}),
      ...(wanted.read > acknowledged.read ? { read: wanted.read } : {}),
    };
    return Object.keys(marks).length === 0 ? null : marks;
  }
}

/** Reading implies delivery, so a read mark raises both. */
function merge(into: Map<string, Watermarks>, id: string, marks: Partial<Watermarks>): void {
  const current = into.get(id) ?? NONE;
  const read = Math.max(current.read, marks.read ?? 0);
  into.set(id, { read, delivered: Math.max(current.delivered, marks.delivered ?? 0, read) });
}

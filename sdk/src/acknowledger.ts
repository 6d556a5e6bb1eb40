import { Pause, backoffMs } from "./backoff.ts";
import { asChatError } from "./errors.ts";
import type { Watermarks } from "./receipts.ts";

const COALESCE_MS = 150;
const PARALLEL = 4;

interface Marks {
  delivered: number;
  read: number;
}

/**
 * Tells the service how far this user has got: at most one call per conversation in 150 ms, never
 * backwards, and again after a failure that may pass.
 */
export class Acknowledger {
  readonly #send: (conversationId: string, marks: Partial<Marks>) => Promise<Watermarks>;
  readonly #wanted = new Map<string, Marks>();
  readonly #acknowledged = new Map<string, Marks>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #busy = new Set<string>();
  readonly #pause = new Pause();
  #queue: string[] = [];
  #failures = 0;
  #resting = false;
  #stopped = false;

  constructor(send: (conversationId: string, marks: Partial<Marks>) => Promise<Watermarks>) {
    this.#send = send;
  }

  /** Ask for the watermarks to be at least these. */
  raise(conversationId: string, marks: Partial<Marks>): void {
    merge(this.#wanted, conversationId, marks);
    this.#schedule(conversationId);
  }

  /** Learn what the service already knows. */
  learn(conversationId: string, marks: Watermarks): void {
    merge(this.#acknowledged, conversationId, marks);
  }

  /** Forget what the service is believed to know and say everything wanted again: it may have lost some. */
  repeat(conversationId: string, marks: Watermarks): void {
    this.#acknowledged.set(conversationId, { ...marks });
    this.#schedule(conversationId);
  }

  /** End the wait after a failure. */
  kick(): void {
    this.#pause.cut();
  }

  /** Make no more calls: what is not said yet is said by the next client, from what it then shows. */
  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#queue = [];
    this.#pause.cut();
  }

  #schedule(id: string): void {
    if (this.#stopped || !this.#due(id) || this.#timers.has(id)) return;
    this.#timers.set(
      id,
      setTimeout(() => {
        this.#timers.delete(id);
        this.#queue.push(id);
        this.#pump();
      }, COALESCE_MS),
    );
  }

  #pump(): void {
    while (!this.#resting && this.#busy.size < PARALLEL) {
      const at = this.#queue.findIndex((id) => !this.#busy.has(id));
      const id = this.#queue.splice(at < 0 ? this.#queue.length : at, 1)[0];
      if (id === undefined) return;
      this.#busy.add(id);
      void this.#flush(id).finally(() => {
        this.#busy.delete(id);
        this.#pump();
      });
    }
  }

  async #flush(id: string): Promise<void> {
    const marks = this.#due(id);
    if (!marks) return;
    try {
      const receipt = await this.#send(id, marks);
      this.learn(id, receipt);
      this.learn(id, { delivered: marks.delivered ?? 0, read: marks.read ?? 0 });
      this.#failures = 0;
    } catch (thrown) {
      const error = asChatError(thrown);
      if (!error.isTransient) merge(this.#acknowledged, id, marks);
      else await this.#rest(error.retryAfterMs);
    }
    this.#schedule(id);
  }

  async #rest(retryAfterMs: number | null): Promise<void> {
    this.#resting = true;
    await this.#pause.wait(retryAfterMs ?? backoffMs(this.#failures++));
    this.#resting = false;
  }

  #due(id: string): Partial<Marks> | null {
    const wanted = this.#wanted.get(id);
    const known = this.#acknowledged.get(id);
    if (!wanted) return null;
    const marks: Partial<Marks> = {};
    if (wanted.delivered > (known?.delivered ?? 0)) marks.delivered = wanted.delivered;
    if (wanted.read > (known?.read ?? 0)) marks.read = wanted.read;
    return marks.delivered === undefined && marks.read === undefined ? null : marks;
  }
}

/** Reading implies delivery, so a read mark raises both. */
function merge(into: Map<string, Marks>, id: string, marks: Partial<Marks>): void {
  const old = into.get(id) ?? { delivered: 0, read: 0 };
  const read = Math.max(old.read, marks.read ?? 0);
  into.set(id, { read, delivered: Math.max(old.delivered, marks.delivered ?? 0, read) });
}

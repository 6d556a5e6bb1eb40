import { type ChatError, asChatError } from "../common/errors.ts";
import { uuid7 } from "../common/ids.ts";
import { Pause, retrying } from "../common/retrying.ts";
import { type ReadableStore, Store } from "../common/store.ts";
import type { Draft, Message } from "../types.ts";
import type { OutboxEntry, OutboxStorage } from "./outbox-entry.ts";
import type { Tabs } from "./tabs.ts";

export interface OutboxSnapshot {
  /** Unsent and failed messages of all conversations, oldest first. */
  readonly entries: readonly OutboxEntry[];
  /** Set while the service asked to wait: until when, and for which reason (`rate_limited`, `unavailable`). */
  readonly waiting: { readonly untilMs: number; readonly code: string } | null;
}

export interface OutboxOptions {
  userId: string;
  storage: OutboxStorage;
  tabs: Tabs;
  /** Make one attempt to send a message; `retry` says that the service may have stored it already. */
  deliver(entry: OutboxEntry, retry: boolean): Promise<Message>;
  /** Whether an attempt makes sense now; call `retryNow` as soon as it does. */
  canDeliver(): boolean;
}

type TabMessage = { kind: "put"; entry: OutboxEntry } | { kind: "gone"; id: string; message: Message | null };

/** How long an outbox that cannot deliver waits before it looks again by itself. */
const RECHECK_MS = 30_000;

/**
 * Sends this user's messages: each is stored before its first attempt, and they go out strictly in order
 * within a conversation. An unclear outcome is tried again under the same id until the service answers; a
 * refusal marks the message failed and lets those behind it pass.
 *
 * Nothing is lost: an entry is written to storage, with its attempt counted, before the call is made. A crash
 * at any point leaves either no attempt, or an entry whose next attempt says `retry`. Nothing is stored twice:
 * all attempts carry one `clientMessageId`, under which the service stores at most one message. The order
 * holds: a conversation has one sender at a time (`#sending`), in one tab at a time (`Tabs.onLeader`), and it
 * takes the next entry only after the one before is stored or refused. When the leading tab closes in the
 * middle of a call, the next leader repeats that call first, since its entry is still the oldest.
 * sdk/test/messages/outbox.test.ts proves each of these; tests/e2e/client.test.mjs with a real service.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #store = new Store<OutboxSnapshot>({ entries: [], waiting: null });
  /** The conversations that are being sent from now. */
  readonly #sending = new Set<string>();
  readonly #pause = new Pause();
  /** Entries that were stored or discarded: a late message of another tab must not bring them back. */
  readonly #removedIds = new Set<string>();
  #onStored: (message: Message) => void = () => undefined;
  #entries: readonly OutboxEntry[] = [];
  #waiting: OutboxSnapshot["waiting"] = null;
  #isLeader = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
    options.tabs.onMessage((message) => this.#handleTabMessage(message as TabMessage));
  }

  get store(): ReadableStore<OutboxSnapshot> {
    return this.#store;
  }

  /** Whether unsent messages outlive this process. */
  get isDurable(): boolean {
    return this.#options.storage.isDurable !== false;
  }

  /** Set what is called, in every tab, with each message once it is stored. */
  onStored(listener: (message: Message) => void): void {
    this.#onStored = listener;
  }

  /** Load what an earlier page left unsent, and send once this tab is the leader. */
  async start(): Promise<void> {
    await this.#load();
    this.#options.tabs.onLeader(() => {
      this.#isLeader = true;
      void this.#load().then(() => this.#startSending());
    });
  }

  stop(): void {
    this.#pause.close();
    this.#options.tabs.close();
  }

  /** Wait until every message is stored or refused, for `timeoutMs` at most; returns those that are not stored. */
  async flush(timeoutMs: number): Promise<readonly OutboxEntry[]> {
    this.retryNow();
    await this.#settled(timeoutMs);
    return this.#entries;
  }

  pending(conversationId: string): readonly OutboxEntry[] {
    return this.#entries.filter((entry) => entry.conversationId === conversationId);
  }

  /**
   * Accept a message; the promise settles once it is in the storage and so survives a reload.
   *
   * `latestSequence` is the newest sequence known of the conversation, 0 for none: the message is shown after it.
   */
  async add(conversationId: string, draft: Draft, latestSequence = 0): Promise<OutboxEntry> {
    const now = Date.now();
    const entry: OutboxEntry = {
      clientMessageId: uuid7(now),
      userId: this.#options.userId,
      conversationId,
      body: draft.body,
      attachments: draft.attachments ?? [],
      replyTo: draft.replyTo ?? null,
      createdAt: now,
      ...(latestSequence > 0 ? { after: latestSequence } : {}),
      attempts: 0,
      failure: null,
    };
    await this.#put(entry);
    this.#startSending();
    return entry;
  }

  /** Try a failed message once more. */
  async retry(clientMessageId: string): Promise<void> {
    const entry = this.#find(clientMessageId);
    if (!entry?.failure) return;
    await this.#put({ ...entry, failure: null });
    this.#startSending();
  }

  /** Forget a failed message. */
  async discard(clientMessageId: string): Promise<void> {
    const entry = this.#find(clientMessageId);
    if (entry?.failure) await this.#remove(entry, null);
  }

  /** End every wait that the service did not ask for: an attempt is likely to succeed now. */
  retryNow(): void {
    this.#pause.cut();
    this.#startSending();
  }

  #settled(timeoutMs: number): Promise<void> {
    const isSettled = () => this.#entries.every((entry) => entry.failure);
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        unsubscribe();
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      const unsubscribe = this.#store.subscribe(() => isSettled() && done());
      if (isSettled()) done();
    });
  }

  #startSending(): void {
    if (!this.#isLeader || this.#pause.isClosed) return;
    for (const { conversationId } of this.#entries) {
      if (this.#sending.has(conversationId) || !this.#next(conversationId)) continue;
      this.#sending.add(conversationId);
      void this.#sendAll(conversationId).finally(() => {
        this.#sending.delete(conversationId);
        this.#startSending();
      });
    }
  }

  async #sendAll(conversationId: string): Promise<void> {
    while (this.#next(conversationId) && !this.#pause.isClosed) {
      // What is left when the pause is closed, the next client sends.
      await retrying(() => this.#sendNext(conversationId), { pause: this.#pause }).catch(() => undefined);
    }
  }

  /** Make one attempt for the conversation's oldest entry; throws when it must be made again. */
  async #sendNext(conversationId: string): Promise<void> {
    await this.#untilAllowed();
    const oldest = this.#next(conversationId);
    if (!oldest || this.#pause.isClosed) return;
    const entry = { ...oldest, attempts: oldest.attempts + 1 };
    await this.#put(entry);
    try {
      const message = await this.#options.deliver(entry, oldest.attempts > 0);
      await this.#remove(entry, message);
    } catch (thrown) {
      const error = asChatError(thrown);
      if (error.isTransient) throw this.#withWait(error);
      await this.#put({ ...entry, failure: { code: error.code, detail: error.message } });
    }
  }

  /** Wait while an attempt makes no sense, and as long as the service asked: `retryNow` does not shorten that. */
  async #untilAllowed(): Promise<void> {
    while (!this.#pause.isClosed) {
      const leftMs = this.#options.canDeliver() ? (this.#waiting?.untilMs ?? 0) - Date.now() : RECHECK_MS;
      if (leftMs <= 0) break;
      await this.#pause.wait(leftMs);
    }
    if (this.#waiting === null) return;
    this.#waiting = null;
    this.#publish();
  }

  /** A wait that the service asks for holds for all conversations: the limit is the user's. */
  #withWait(error: ChatError): ChatError {
    if (error.retryAfterMs !== null) {
      this.#waiting = { untilMs: Date.now() + error.retryAfterMs, code: error.code };
      this.#publish();
    }
    return error;
  }

  #handleTabMessage(message: TabMessage): void {
    if (message.kind === "put") {
      this.#upsert(message.entry);
      this.#startSending();
    } else {
      this.#drop(message.id, message.message);
    }
  }

  async #load(): Promise<void> {
    const stored = await this.#options.storage.list(this.#options.userId).catch(() => []);
    for (const entry of stored) if (!this.#find(entry.clientMessageId)) this.#upsert(entry);
  }

  /** Show an entry, store it and tell the other tabs. Without working storage it is still sent, from memory. */
  async #put(entry: OutboxEntry): Promise<void> {
    this.#upsert(entry);
    await this.#options.storage.put(entry).catch(() => undefined);
    this.#options.tabs.post({ kind: "put", entry } satisfies TabMessage);
  }

  async #remove(entry: OutboxEntry, message: Message | null): Promise<void> {
    this.#drop(entry.clientMessageId, message);
    await this.#options.storage.delete(entry).catch(() => undefined);
    this.#options.tabs.post({ kind: "gone", id: entry.clientMessageId, message } satisfies TabMessage);
  }

  /** The stored message is handed over before its entry goes, so that it never leaves the screen in between. */
  #drop(id: string, message: Message | null): void {
    this.#removedIds.add(id);
    if (message) this.#onStored(message);
    this.#entries = this.#entries.filter((entry) => entry.clientMessageId !== id);
    this.#publish();
  }

  #upsert(entry: OutboxEntry): void {
    if (this.#removedIds.has(entry.clientMessageId)) return;
    const current = this.#find(entry.clientMessageId);
    this.#entries = current
      ? this.#entries.map((other) => (other === current ? entry : other))
      : [...this.#entries, entry];
    this.#publish();
  }

  #find(id: string): OutboxEntry | undefined {
    return this.#entries.find((entry) => entry.clientMessageId === id);
  }

  #next(conversationId: string): OutboxEntry | undefined {
    return this.#entries.find((entry) => entry.conversationId === conversationId && !entry.failure);
  }

  #publish(): void {
    this.#store.set({ entries: this.#entries, waiting: this.#waiting });
  }
}

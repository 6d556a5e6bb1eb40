import { Pause, backoffMs } from "./backoff.ts";
import { type ChatError, asChatError } from "./errors.ts";
import { uuid7 } from "./ids.ts";
import type { OutboxEntry, OutboxStorage } from "./outbox-entry.ts";
import { type ReadableStore, Store } from "./store.ts";
import type { Tabs } from "./tabs.ts";
import { type Draft, type Message } from "./types.ts";

export interface OutboxSnapshot {
  /** Unsent and failed messages of all conversations, oldest first. */
  readonly entries: readonly OutboxEntry[];
  /** Set while the service asked to wait: until when, and whether this user was too fast. */
  readonly waiting: { readonly untilMs: number; readonly code: string } | null;
}

export interface OutboxOptions {
  userId: string;
  storage: OutboxStorage;
  tabs: Tabs;
  /** Hand one message to the service; `retry` says that it may be stored already. */
  deliver(entry: OutboxEntry, retry: boolean): Promise<Message>;
  /** Whether an attempt makes sense now; when it becomes so, call `kick`. */
  canDeliver(): boolean;
  /** The newest sequence known of a conversation; 0 says that none is. */
  latest(conversationId: string): number;
  /** Called in every tab with each message once it is stored. */
  onStored(message: Message): void;
}

type TabMessage = { kind: "put"; entry: OutboxEntry } | { kind: "gone"; id: string; message: Message | null };

interface Lane {
  readonly pause: Pause;
}

/**
 * Sends what this user says: each message is stored before its first attempt, and they go out strictly
 * in order within a conversation. An unclear outcome is tried again under the same id for as long as it
 * takes; a refusal marks the message failed and lets those behind it pass.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #store = new Store<OutboxSnapshot>({ entries: [], waiting: null });
  readonly #lanes = new Map<string, Lane>();
  readonly #gone = new Set<string>();
  #entries: readonly OutboxEntry[] = [];
  #waiting: OutboxSnapshot["waiting"] = null;
  #leads = false;
  #stopped = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
    options.tabs.onMessage((message) => this.#hear(message as TabMessage));
  }

  get store(): ReadableStore<OutboxSnapshot> {
    return this.#store;
  }

  /** Take up what an earlier page left behind, and send once this tab leads. */
  async start(): Promise<void> {
    await this.#reload();
    this.#options.tabs.onLeader(() => {
      this.#leads = true;
      void this.#reload().then(() => this.#pump());
    });
  }

  stop(): void {
    this.#stopped = true;
    this.kick();
    this.#options.tabs.close();
  }

  /** Whether what is unsent outlives this process. */
  get isDurable(): boolean {
    return this.#options.storage.isDurable !== false;
  }

  /** Wait until every message is stored or refused, for `timeoutMs` at most; returns those that are not stored. */
  async flush(timeoutMs: number): Promise<readonly OutboxEntry[]> {
    this.kick();
    await this.#settled(timeoutMs);
    return this.#entries;
  }

  pending(conversationId: string): readonly OutboxEntry[] {
    return this.#entries.filter((entry) => entry.conversationId === conversationId);
  }

  /** Accept a message; the promise settles once it is stored and so will survive a reload. */
  async add(conversationId: string, draft: Draft): Promise<OutboxEntry> {
    const now = Date.now();
    const after = this.#options.latest(conversationId);
    const entry: OutboxEntry = {
      clientMessageId: uuid7(now),
      userId: this.#options.userId,
      conversationId,
      body: draft.body,
      attachments: draft.attachments ?? [],
      replyTo: draft.replyTo ?? null,
      createdAt: now,
      ...(after > 0 ? { after } : {}),
      attempts: 0,
      failure: null,
    };
    this.#upsert(entry);
    await this.#save(entry);
    this.#pump();
    return entry;
  }

  /** Try a failed message once more. */
  async retry(clientMessageId: string): Promise<void> {
    const entry = this.#find(clientMessageId);
    if (!entry?.failure) return;
    const again = { ...entry, failure: null };
    this.#upsert(again);
    await this.#save(again);
    this.#pump();
  }

  /** Forget a failed message. */
  async discard(clientMessageId: string): Promise<void> {
    const entry = this.#find(clientMessageId);
    if (entry?.failure) await this.#remove(entry, null);
  }

  /** Something changed for the better: end every wait that the service did not ask for. */
  kick(): void {
    for (const lane of this.#lanes.values()) lane.pause.cut();
    this.#pump();
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

  #pump(): void {
    if (!this.#leads || this.#stopped) return;
    for (const { conversationId } of this.#entries) {
      if (this.#lanes.has(conversationId) || !this.#next(conversationId)) continue;
      const lane = { pause: new Pause() };
      this.#lanes.set(conversationId, lane);
      void this.#run(conversationId, lane).finally(() => {
        this.#lanes.delete(conversationId);
        this.#pump();
      });
    }
  }

  async #run(conversationId: string, lane: Lane): Promise<void> {
    let failures = 0;
    for (let entry = this.#next(conversationId); entry && !this.#stopped; entry = this.#next(conversationId)) {
      if (!this.#options.canDeliver()) {
        await lane.pause.wait(backoffMs(16));
        continue;
      }
      if (await this.#waited(lane)) continue;
      const error = await this.#attempt(entry);
      failures = error ? failures + 1 : 0;
      if (error && !this.#holdAll(error)) await lane.pause.wait(backoffMs(failures));
    }
  }

  /** Make one attempt. Returns why it must be made again, null when the entry is settled. */
  async #attempt(entry: OutboxEntry): Promise<ChatError | null> {
    const begun = { ...entry, attempts: entry.attempts + 1 };
    this.#upsert(begun);
    await this.#save(begun);
    try {
      const message = await this.#options.deliver(begun, entry.attempts > 0);
      await this.#remove(begun, message);
    } catch (thrown) {
      const error = asChatError(thrown);
      if (error.isTransient) return error;
      const failed = { ...begun, failure: { code: error.code, detail: error.message } };
      this.#upsert(failed);
      await this.#save(failed);
    }
    return null;
  }

  /** Whether there was a wait that the service asked for; the caller looks again after it. */
  async #waited(lane: Lane): Promise<boolean> {
    const left = (this.#waiting?.untilMs ?? 0) - Date.now();
    if (left > 0) {
      await lane.pause.wait(left);
      return true;
    }
    if (this.#waiting) {
      this.#waiting = null;
      this.#publish();
    }
    return false;
  }

  #holdAll(error: ChatError): boolean {
    if (error.retryAfterMs === null) return false;
    this.#waiting = { untilMs: Date.now() + error.retryAfterMs, code: error.code };
    this.#publish();
    return true;
  }

  #hear(message: TabMessage): void {
    if (message.kind === "put") {
      this.#upsert(message.entry);
      this.#pump();
    } else {
      this.#drop(message.id, message.message);
    }
  }

  async #reload(): Promise<void> {
    const stored = await this.#options.storage.list(this.#options.userId).catch(() => []);
    for (const entry of stored) if (!this.#find(entry.clientMessageId)) this.#upsert(entry);
  }

  /** Without durable storage (a full disk, a private window) the message still goes out from memory. */
  async #save(entry: OutboxEntry): Promise<void> {
    await this.#options.storage.put(entry).catch(() => undefined);
    this.#options.tabs.post({ kind: "put", entry } satisfies TabMessage);
  }

  async #remove(entry: OutboxEntry, message: Message | null): Promise<void> {
    this.#drop(entry.clientMessageId, message);
    await this.#options.storage.delete(entry).catch(() => undefined);
    this.#options.tabs.post({ kind: "gone", id: entry.clientMessageId, message } satisfies TabMessage);
  }

  #drop(id: string, message: Message | null): void {
    this.#gone.add(id);
    if (message) this.#options.onStored(message);
    this.#entries = this.#entries.filter((entry) => entry.clientMessageId !== id);
    this.#publish();
  }

  #upsert(entry: OutboxEntry): void {
    if (this.#gone.has(entry.clientMessageId)) return;
    const known = this.#find(entry.clientMessageId);
    this.#entries = known
      ? this.#entries.map((old) => (old === known ? entry : old))
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

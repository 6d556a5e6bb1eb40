import type { ChatApi } from "./api.ts";
import { Pause, backoffMs } from "./backoff.ts";
import { type ChatError, asChatError } from "./errors.ts";
import type { OutboxEntry } from "./outbox-entry.ts";
import { Receipts, type Watermarks } from "./receipts.ts";
import { type ReadableStore, Store } from "./store.ts";
import { Timeline } from "./timeline.ts";
import type { AttachmentRef, ConversationDetails, Member, Message, MessageStatus, Receipt } from "./types.ts";
import { interleave } from "./unsent.ts";

const PAGE = 50;
const REPAIR_PAGE = 100;
/** A longer hole is not filled before the newest messages are shown; it is paged back into. */
const LONGEST_REPAIR = 300;
const REPAIR_ATTEMPTS = 6;

export type TimelineItem =
  | { readonly kind: "stored"; readonly key: string; readonly message: Message; readonly status: MessageStatus }
  | { readonly kind: "pending" | "failed"; readonly key: string; readonly entry: OutboxEntry };

export interface TimelineSnapshot {
  readonly conversationId: string;
  /** Stored messages by sequence; this user's own that are not stored stand where they were written. */
  readonly items: readonly TimelineItem[];
  readonly loaded: boolean;
  readonly loadingOlder: boolean;
  readonly hasOlder: boolean;
  /** Newer messages exist and are being fetched. */
  readonly filling: boolean;
  readonly error: ChatError | null;
  readonly receipts: ReadonlyMap<string, Watermarks>;
}

export interface ConversationSources {
  readonly userId: string;
  readonly api: ChatApi;
  /** This user's unsent messages of the conversation, oldest first. */
  pending(conversationId: string): readonly OutboxEntry[];
  members(conversationId: string): readonly Member[];
  /** Called with every stored message that history brings. */
  onMessages(messages: readonly Message[]): void;
  onDetails(details: ConversationDetails): void;
}

/** One conversation on screen: its timeline, its receipts, and what it takes to keep both whole. */
export class OpenConversation {
  readonly id: string;
  readonly #sources: ConversationSources;
  readonly #timeline = new Timeline();
  readonly #receipts = new Receipts();
  readonly #store: Store<TimelineSnapshot>;
  readonly #pause = new Pause();
  #loading: Promise<void> | null = null;
  #older: Promise<void> | null = null;
  #repair: Promise<void> | null = null;
  #error: ChatError | null = null;

  constructor(id: string, sources: ConversationSources) {
    this.id = id;
    this.#sources = sources;
    this.#store = new Store(this.#snapshot());
  }

  get store(): ReadableStore<TimelineSnapshot> {
    return this.#store;
  }

  /** The newest sequence held without a hole. */
  get last(): number {
    return this.#timeline.loaded ? this.#timeline.last : 0;
  }

  /** Load the newest page and everybody's receipts, once; later calls only repair. */
  load(): Promise<void> {
    if (this.#timeline.loaded) {
      this.repair();
      return Promise.resolve();
    }
    this.#loading ??= this.#guard(() => this.#loadNewest()).finally(() => {
      this.#loading = null;
      this.repair();
    });
    return this.#loading;
  }

  /** Fetch the page before the first item, if there may be one. */
  loadOlder(): Promise<void> {
    if (!this.#timeline.loaded || this.#timeline.atStart) return Promise.resolve();
    this.#older ??= this.#guard(() => this.#loadBefore()).finally(() => {
      this.#older = null;
      this.refresh();
    });
    this.refresh();
    return this.#older;
  }

  /** Take messages from a push, a sync or the answer to a send. */
  offer(messages: readonly Message[], head = 0): void {
    this.#timeline.noteHead(head);
    for (const message of messages) {
      this.#timeline.offer(message);
      this.#receipts.mergeAuthor(message);
    }
    this.repair();
    this.refresh();
  }

  mergeReceipts(receipts: readonly Receipt[]): void {
    for (const receipt of receipts) this.#receipts.merge(receipt);
    this.refresh();
  }

  replaceAttachment(sequence: number, attachment: AttachmentRef): void {
    this.#timeline.replaceAttachment(sequence, attachment);
    this.refresh();
  }

  /** Read everybody's receipts again: pushes of them may have been missed. */
  async reloadReceipts(): Promise<void> {
    const details = await this.#sources.api.conversation(this.id);
    this.#sources.onDetails(details);
    this.#timeline.noteHead(details.latestSequence);
    this.mergeReceipts(details.receipts);
    this.repair();
  }

  /** Whether the newest own message may be further than its ticks say: a lost receipt repairs itself by nothing else. */
  get awaitsReceipts(): boolean {
    const newest = this.#store.get().items.findLast((item) => item.kind === "stored");
    return newest?.message.senderId === this.#sources.userId && newest.status === "sent";
  }

  /** Fill the hole after the last item, if there is one. */
  repair(): void {
    if (this.#repair || !this.#timeline.gap()) return;
    this.#repair = this.#fill().finally(() => {
      this.#repair = null;
      this.refresh();
    });
    this.refresh();
  }

  /** Try at once what waits for a better moment. */
  wake(): void {
    this.#pause.cut();
    if (this.#error && !this.#timeline.loaded) void this.load();
    this.repair();
  }

  refresh(): void {
    this.#store.set(this.#snapshot());
  }

  async #loadNewest(): Promise<void> {
    const [page] = await Promise.all([
      this.#sources.api.history(this.id, { limit: PAGE }),
      this.reloadReceipts(),
    ]);
    this.#timeline.adoptNewest(page.items, page.latestSequence);
    this.#seen(page.items);
  }

  async #loadBefore(): Promise<void> {
    const page = await this.#sources.api.history(this.id, { before: this.#timeline.first, limit: PAGE });
    this.#timeline.absorbBefore(page.items);
    this.#seen(page.items);
  }

  async #fill(): Promise<void> {
    for (let attempt = 0; attempt < REPAIR_ATTEMPTS; ) {
      const gap = this.#timeline.gap();
      if (!gap) return;
      const before = this.#timeline.last;
      const error = await this.#fillOnce(gap.last - gap.first + 1).catch(asChatError);
      if (error && !error.isTransient) return;
      if (this.#timeline.last > before) attempt = 0;
      else await this.#pause.wait(error?.retryAfterMs ?? backoffMs(attempt++));
    }
  }

  async #fillOnce(missing: number): Promise<null> {
    const { api } = this.#sources;
    const position = this.#timeline.last;
    if (missing > LONGEST_REPAIR) {
      const page = await api.history(this.id, { limit: REPAIR_PAGE });
      this.#timeline.adoptNewest(page.items, page.latestSequence);
      this.#seen(page.items);
    } else {
      const page = await api.history(this.id, { after: position, limit: REPAIR_PAGE });
      this.#timeline.absorbAfter(position, page.items, page.latestSequence);
      this.#seen(page.items);
    }
    return null;
  }

  #seen(messages: readonly Message[]): void {
    for (const message of messages) this.#receipts.mergeAuthor(message);
    this.#sources.onMessages(messages);
    this.refresh();
  }

  async #guard(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#error = null;
    } catch (error) {
      this.#error = asChatError(error);
    }
    this.refresh();
  }

  #snapshot(): TimelineSnapshot {
    const timeline = this.#timeline;
    return {
      conversationId: this.id,
      items: this.#items(),
      loaded: timeline.loaded,
      loadingOlder: this.#older !== null,
      hasOlder: timeline.loaded && !timeline.atStart,
      filling: this.#repair !== null,
      error: this.#error,
      receipts: this.#receipts.all(),
    };
  }

  #items(): TimelineItem[] {
    const { userId } = this.#sources;
    const { items } = this.#timeline;
    const members = this.#sources.members(this.id);
    const own = new Set(items.filter((item) => item.senderId === userId).map((item) => item.clientMessageId));
    const unsent = this.#sources.pending(this.id).filter((entry) => !own.has(entry.clientMessageId));
    return interleave<TimelineItem>(items, unsent, userId, {
      stored: (message) => ({
        kind: "stored",
        key: itemKey(message.senderId, message.clientMessageId || String(message.sequence)),
        message,
        status: message.senderId === userId ? this.#receipts.statusOf(message, members) : message.status,
      }),
      unsent: (entry) => ({
        kind: entry.failure ? "failed" : "pending",
        key: itemKey(userId, entry.clientMessageId),
        entry,
      }),
    });
  }
}

function itemKey(senderId: string, id: string): string {
  return `${senderId}/${id}`;
}

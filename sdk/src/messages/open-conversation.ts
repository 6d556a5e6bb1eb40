import { ChatError, asChatError } from "../common/errors.ts";
import { Pause, retrying } from "../common/retrying.ts";
import { type ReadableStore, Store } from "../common/store.ts";
import type { ChatApi } from "../connection/api.ts";
import { Receipts, type Watermarks } from "../receipts/receipts.ts";
import type { AttachmentRef, ConversationDetails, Member, Message, MessageStatus, Receipt } from "../types.ts";
import type { OutboxEntry } from "./outbox-entry.ts";
import { Timeline } from "./timeline.ts";
import { interleave } from "./unsent.ts";

const PAGE = 50;
const GAP_PAGE = 100;
/** Beyond a longer gap the newest messages are shown first; the user pages back into the gap. */
const LONGEST_FILLED_GAP = 300;
/** Attempts in a row that bring nothing, before filling a gap is given up until the next occasion. */
const FILL_ATTEMPTS = 6;

export type TimelineItem =
  | { readonly kind: "stored"; readonly key: string; readonly message: Message; readonly status: MessageStatus }
  | { readonly kind: "pending" | "failed"; readonly key: string; readonly entry: OutboxEntry };

export interface TimelineSnapshot {
  readonly conversationId: string;
  /** Stored messages by sequence; this user's unsent messages stand where they were written. */
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
  /** Called with each page of history. */
  onMessages(messages: readonly Message[]): void;
  onDetails(details: ConversationDetails): void;
}

/**
 * One conversation on screen: its timeline, its receipts, and the calls that keep both complete.
 *
 * Gaps: whatever merges messages then calls `fillGap`, which reads history after the last item, page by page,
 * until `Timeline.gap()` is null. Only one such read runs at a time, and it looks at the gap anew before each
 * page, so pushes that arrive meanwhile are neither fetched twice nor left out. A page that brings nothing (history
 * may lag behind the push for a moment) counts as a transient failure and is read again after a wait; after six in a
 * row the next push, sync or reconnect tries again. The properties in open-conversation.test.ts prove that the
 * items never have a gap and, after one sync, equal the stored history.
 */
export class OpenConversation {
  readonly id: string;
  readonly #sources: ConversationSources;
  readonly #timeline = new Timeline();
  readonly #receipts = new Receipts();
  readonly #store: Store<TimelineSnapshot>;
  readonly #pause = new Pause();
  #loading: Promise<void> | null = null;
  #older: Promise<void> | null = null;
  #filling: Promise<void> | null = null;
  #error: ChatError | null = null;

  constructor(id: string, sources: ConversationSources) {
    this.id = id;
    this.#sources = sources;
    this.#store = new Store(this.#snapshot());
  }

  get store(): ReadableStore<TimelineSnapshot> {
    return this.#store;
  }

  /** The newest sequence up to which there is no gap; 0 before the first load. */
  get last(): number {
    return this.#timeline.loaded ? this.#timeline.last : 0;
  }

  /** Load the newest page and everybody's receipts, once; later calls only fill a gap. */
  load(): Promise<void> {
    if (this.#timeline.loaded) {
      this.fillGap();
      return Promise.resolve();
    }
    this.#loading ??= this.#guard(() => this.#loadNewest()).finally(() => {
      this.#loading = null;
      this.fillGap();
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

  /** Merge messages from a push, a sync or the answer to a send; `head` is the newest sequence known to exist. */
  mergeMessages(messages: readonly Message[], head = 0): void {
    this.#timeline.mergeHead(head);
    for (const message of messages) {
      this.#timeline.merge(message);
      this.#receipts.mergeAuthor(message);
    }
    this.fillGap();
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

  /** Read everybody's receipts again, since their pushes may have been lost. */
  async reloadReceipts(): Promise<void> {
    const details = await this.#sources.api.conversation(this.id);
    this.#sources.onDetails(details);
    this.#timeline.mergeHead(details.latestSequence);
    this.mergeReceipts(details.receipts);
    this.fillGap();
  }

  /** Whether the newest message is this user's and not delivered as far as is known: the push of its receipt may be lost. */
  get awaitsReceipts(): boolean {
    const newest = this.#store.get().items.findLast((item) => item.kind === "stored");
    return newest?.message.senderId === this.#sources.userId && newest.status === "sent";
  }

  /** Fetch the messages missing after the last item, if there are any. */
  fillGap(): void {
    if (this.#filling || !this.#timeline.gap()) return;
    this.#filling = this.#fillGap().finally(() => {
      this.#filling = null;
      this.refresh();
    });
    this.refresh();
  }

  /** Make at once the attempts that wait after a failure. */
  retryNow(): void {
    this.#pause.cut();
    if (this.#error && !this.#timeline.loaded) void this.load();
    this.fillGap();
  }

  refresh(): void {
    this.#store.set(this.#snapshot());
  }

  async #loadNewest(): Promise<void> {
    const [page] = await Promise.all([
      this.#sources.api.history(this.id, { limit: PAGE }),
      this.reloadReceipts(),
    ]);
    this.#timeline.mergeNewest(page.items, page.latestSequence);
    this.#publishPage(page.items);
  }

  async #loadBefore(): Promise<void> {
    const page = await this.#sources.api.history(this.id, { before: this.#timeline.first, limit: PAGE });
    this.#timeline.mergeBefore(page.items);
    this.#publishPage(page.items);
  }

  async #fillGap(): Promise<void> {
    try {
      while (this.#timeline.gap()) {
        await retrying(() => this.#fetchGapPage(), { pause: this.#pause, attempts: FILL_ATTEMPTS });
      }
    } catch {
      // Given up: the next push, sync, reconnect or `open` starts anew.
    }
  }

  async #fetchGapPage(): Promise<void> {
    const gap = this.#timeline.gap();
    if (!gap) return;
    const { api } = this.#sources;
    const { last } = this.#timeline;
    if (gap.last - gap.first + 1 > LONGEST_FILLED_GAP) {
      const page = await api.history(this.id, { limit: GAP_PAGE });
      this.#timeline.mergeNewest(page.items, page.latestSequence);
      this.#publishPage(page.items);
    } else {
      const page = await api.history(this.id, { after: last, limit: GAP_PAGE });
      this.#timeline.mergeAfter(last, page.items, page.latestSequence);
      this.#publishPage(page.items);
    }
    if (this.#timeline.last === last) throw new ChatError("unavailable", "history does not have the missing messages yet");
  }

  #publishPage(messages: readonly Message[]): void {
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
      filling: this.#filling !== null,
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

import { type ReadableStore, Store } from "./store.ts";
import type { Conversation, InboxItem, Message, Receipt } from "./types.ts";

export interface InboxEntry {
  readonly conversation: Conversation;
  readonly lastMessage: Message | null;
  readonly latestSequence: number;
  readonly read: number;
  readonly delivered: number;
  readonly unreadCount: number;
  readonly muted: boolean;
}

export interface InboxSnapshot {
  /** Newest activity first. */
  readonly entries: readonly InboxEntry[];
  readonly loaded: boolean;
  readonly hasMore: boolean;
  /** Over the conversations loaded, muted ones left out. */
  readonly unreadCount: number;
}

/** This user's conversations. Unread is a subtraction, so it cannot drift between devices. */
export class Inbox {
  readonly #userId: string;
  readonly #entries = new Map<string, InboxEntry>();
  readonly #store = new Store<InboxSnapshot>({ entries: [], loaded: false, hasMore: false, unreadCount: 0 });
  #loaded = false;
  #hasMore = false;

  constructor(userId: string) {
    this.#userId = userId;
  }

  get store(): ReadableStore<InboxSnapshot> {
    return this.#store;
  }

  get(conversationId: string): InboxEntry | undefined {
    return this.#entries.get(conversationId);
  }

  ids(): string[] {
    return [...this.#entries.keys()];
  }

  /**
   * Drop what the newest page should have listed and does not: this user is a member no more.
   *
   * `before` are the conversations that were listed when the page was asked for.
   */
  dropMissing(before: readonly string[], items: readonly InboxItem[], hasMore: boolean): void {
    const listed = new Set(items.map((item) => item.conversation.id));
    const oldest = items.at(-1);
    const reach = hasMore && oldest ? itemActivityAt(oldest) : 0;
    for (const id of before) {
      const entry = this.#entries.get(id);
      if (entry && !listed.has(id) && activityAt(entry) > reach) this.#entries.delete(id);
    }
    this.#publish();
  }

  takePage(items: readonly InboxItem[], hasMore: boolean): void {
    for (const item of items) this.#takeItem(item);
    this.#loaded = true;
    this.#hasMore = hasMore;
    this.#publish();
  }

  /** Take a conversation that changed, unless it lies beyond those that were paged to. */
  takeChanged(item: InboxItem): void {
    const oldest = this.#store.get().entries.at(-1);
    const isListed = this.#entries.has(item.conversation.id);
    if (isListed || !this.#hasMore || !oldest || itemActivityAt(item) >= activityAt(oldest)) this.#takeItem(item);
    this.#publish();
  }

  /** Take a conversation as created, changed or fetched; an older version than the known one is ignored. */
  takeConversation(conversation: Conversation): void {
    const known = this.#entries.get(conversation.id);
    if (known && conversation.version < known.conversation.version) return;
    const base = known ?? fresh(conversation);
    const latestSequence = Math.max(base.latestSequence, conversation.latestSequence);
    this.#put({ ...base, conversation, latestSequence });
    this.#publish();
  }

  /** Take stored messages; those of a conversation not listed here are left out. Returns how many were new. */
  takeMessages(messages: readonly Message[]): number {
    let news = 0;
    for (const message of messages) {
      const known = this.#entries.get(message.conversationId);
      if (!known) continue;
      news += Math.max(0, message.sequence - known.latestSequence);
      this.#put(withMessage(known, message, this.#userId));
    }
    this.#publish();
    return news;
  }

  noteHead(conversationId: string, latestSequence: number): void {
    const known = this.#entries.get(conversationId);
    if (!known || latestSequence <= known.latestSequence) return;
    this.#put({ ...known, latestSequence });
    this.#publish();
  }

  /** Take this user's own receipt, from any device. */
  takeOwnMarks(marks: Pick<Receipt, "conversationId" | "delivered" | "read">): void {
    const known = this.#entries.get(marks.conversationId);
    if (!known || (marks.read <= known.read && marks.delivered <= known.delivered)) return;
    const read = Math.max(known.read, marks.read);
    this.#put({ ...known, read, delivered: Math.max(known.delivered, marks.delivered, read) });
    this.#publish();
  }

  setMuted(conversationId: string, muted: boolean): void {
    const known = this.#entries.get(conversationId);
    if (known) this.#put({ ...known, muted });
    this.#publish();
  }

  remove(conversationId: string): void {
    this.#entries.delete(conversationId);
    this.#publish();
  }

  #takeItem(item: InboxItem): void {
    const known = this.#entries.get(item.conversation.id);
    const { latestSequence } = item.conversation;
    const fetched: InboxEntry = {
      ...fresh(item.conversation),
      lastMessage: item.lastMessage,
      read: Math.max(item.receipt.read, latestSequence - item.unreadCount),
      delivered: item.receipt.delivered,
      muted: item.muted,
    };
    this.#put(known ? newest(known, fetched) : fetched);
  }

  /** What lies before a member's `historyFrom` was never theirs to read. */
  #put(entry: InboxEntry): void {
    const { members, id } = entry.conversation;
    const visibleFrom = members.find((member) => member.userId === this.#userId)?.historyFrom ?? 1;
    const read = Math.max(entry.read, visibleFrom - 1);
    this.#entries.set(id, { ...entry, read, unreadCount: Math.max(0, entry.latestSequence - read) });
  }

  #publish(): void {
    const entries = [...this.#entries.values()].sort((a, b) => activityAt(b) - activityAt(a));
    const counted = entries.filter((entry) => !entry.muted);
    this.#store.set({
      entries,
      loaded: this.#loaded,
      hasMore: this.#hasMore,
      unreadCount: counted.reduce((sum, entry) => sum + entry.unreadCount, 0),
    });
  }
}

function fresh(conversation: Conversation): InboxEntry {
  return {
    conversation,
    lastMessage: null,
    latestSequence: conversation.latestSequence,
    read: 0,
    delivered: 0,
    unreadCount: 0,
    muted: false,
  };
}

/** What two views of one conversation know together; a page may be older than what was pushed meanwhile. */
function newest(known: InboxEntry, fetched: InboxEntry): InboxEntry {
  const sequenceOf = (entry: InboxEntry) => entry.lastMessage?.sequence ?? 0;
  const isOutdated = known.conversation.version > fetched.conversation.version;
  return {
    ...fetched,
    conversation: isOutdated ? known.conversation : fetched.conversation,
    lastMessage: sequenceOf(known) > sequenceOf(fetched) ? known.lastMessage : fetched.lastMessage,
    latestSequence: Math.max(known.latestSequence, fetched.latestSequence),
    read: Math.max(known.read, fetched.read),
    delivered: Math.max(known.delivered, fetched.delivered),
  };
}

/** Whoever writes has read what stands above, so the user's own message clears the count. */
function withMessage(entry: InboxEntry, message: Message, userId: string): InboxEntry {
  const { sequence } = message;
  const own = message.senderId === userId ? sequence : 0;
  return {
    ...entry,
    lastMessage: sequence > (entry.lastMessage?.sequence ?? 0) ? message : entry.lastMessage,
    latestSequence: Math.max(entry.latestSequence, sequence),
    read: Math.max(entry.read, own),
    delivered: Math.max(entry.delivered, own),
  };
}

function activityAt(entry: InboxEntry): number {
  return entry.lastMessage?.sentAt ?? entry.conversation.createdAt;
}

function itemActivityAt(item: InboxItem): number {
  return item.lastMessage?.sentAt ?? item.conversation.createdAt;
}

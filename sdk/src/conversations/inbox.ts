import { type ReadableStore, Store } from "../common/store.ts";
import type { Conversation, InboxItem, Message, Receipt } from "../types.ts";

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
  /** The sum over the loaded conversations, without muted ones. */
  readonly unreadCount: number;
}

/** This user's list of conversations. Unread is the newest sequence less the read one, so devices cannot disagree about it. */
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
   * Drop conversations that the newest page should have listed and does not: this user left them.
   *
   * `before` are the conversations that were listed when the page was asked for: others may be newer than the page.
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

  mergePage(items: readonly InboxItem[], hasMore: boolean): void {
    for (const item of items) this.#mergeItem(item);
    this.#loaded = true;
    this.#hasMore = hasMore;
    this.#publish();
  }

  /** Merge a conversation that changed, unless it lies beyond the pages that were loaded. */
  mergeChanged(item: InboxItem): void {
    const oldest = this.#store.get().entries.at(-1);
    const isListed = this.#entries.has(item.conversation.id);
    if (isListed || !this.#hasMore || !oldest || itemActivityAt(item) >= activityAt(oldest)) this.#mergeItem(item);
    this.#publish();
  }

  /** Merge a conversation as created, changed or fetched; an older version than the current one is ignored. */
  mergeConversation(conversation: Conversation): void {
    const current = this.#entries.get(conversation.id);
    if (current && conversation.version < current.conversation.version) return;
    const base = current ?? emptyEntry(conversation);
    const latestSequence = Math.max(base.latestSequence, conversation.latestSequence);
    this.#put({ ...base, conversation, latestSequence });
    this.#publish();
  }

  /** Merge stored messages, without those of a conversation that is not listed. Returns how many were new. */
  mergeMessages(messages: readonly Message[]): number {
    let newCount = 0;
    for (const message of messages) {
      const current = this.#entries.get(message.conversationId);
      if (!current) continue;
      newCount += Math.max(0, message.sequence - current.latestSequence);
      this.#put(withMessage(current, message, this.#userId));
    }
    this.#publish();
    return newCount;
  }

  mergeHead(conversationId: string, latestSequence: number): void {
    const current = this.#entries.get(conversationId);
    if (!current || latestSequence <= current.latestSequence) return;
    this.#put({ ...current, latestSequence });
    this.#publish();
  }

  /** Merge this user's own receipt, from any device. */
  mergeOwnReceipt(marks: Pick<Receipt, "conversationId" | "delivered" | "read">): void {
    const current = this.#entries.get(marks.conversationId);
    if (!current || (marks.read <= current.read && marks.delivered <= current.delivered)) return;
    const read = Math.max(current.read, marks.read);
    this.#put({ ...current, read, delivered: Math.max(current.delivered, marks.delivered, read) });
    this.#publish();
  }

  setMuted(conversationId: string, muted: boolean): void {
    const current = this.#entries.get(conversationId);
    if (current) this.#put({ ...current, muted });
    this.#publish();
  }

  remove(conversationId: string): void {
    this.#entries.delete(conversationId);
    this.#publish();
  }

  #mergeItem(item: InboxItem): void {
    const current = this.#entries.get(item.conversation.id);
    const { latestSequence } = item.conversation;
    const fetched: InboxEntry = {
      ...emptyEntry(item.conversation),
      lastMessage: item.lastMessage,
      read: Math.max(item.receipt.read, latestSequence - item.unreadCount),
      delivered: item.receipt.delivered,
      muted: item.muted,
    };
    this.#put(current ? newest(current, fetched) : fetched);
  }

  /** Messages before a member's `historyFrom` are not theirs to read, and so not unread. */
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

function emptyEntry(conversation: Conversation): InboxEntry {
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

/** Combine two views of one conversation: a page may be older than the pushes that came meanwhile. */
function newest(current: InboxEntry, fetched: InboxEntry): InboxEntry {
  const sequenceOf = (entry: InboxEntry) => entry.lastMessage?.sequence ?? 0;
  const isOutdated = current.conversation.version > fetched.conversation.version;
  return {
    ...fetched,
    conversation: isOutdated ? current.conversation : fetched.conversation,
    lastMessage: sequenceOf(current) > sequenceOf(fetched) ? current.lastMessage : fetched.lastMessage,
    latestSequence: Math.max(current.latestSequence, fetched.latestSequence),
    read: Math.max(current.read, fetched.read),
    delivered: Math.max(current.delivered, fetched.delivered),
  };
}

/** Merge a message into a row. Writing implies having read what came before, so an own message clears the unread count. */
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

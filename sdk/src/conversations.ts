import type { Acknowledger } from "./acknowledger.ts";
import type { ChatApi } from "./api.ts";
import { Inbox } from "./inbox.ts";
import { OpenConversation } from "./open-conversation.ts";
import type { OutboxEntry } from "./outbox-entry.ts";
import type {
  AttachmentRef,
  Conversation,
  ConversationDetails,
  InboxItem,
  Message,
  Receipt,
  SyncItem,
} from "./types.ts";

export interface ConversationsOptions {
  readonly userId: string;
  readonly api: ChatApi;
  readonly acknowledger: Acknowledger;
  pending(conversationId: string): readonly OutboxEntry[];
  /** Messages became known by a push, a send or history: so many new ones. */
  onLearnt(count: number): void;
  /** Something arrived of a conversation that is not listed. */
  onUnknown(): void;
}

/** Everything known of this user's conversations; whatever arrives, by any way, is merged here. */
export class Conversations {
  readonly inbox: Inbox;
  readonly #options: ConversationsOptions;
  readonly #open = new Map<string, OpenConversation>();

  constructor(options: ConversationsOptions) {
    this.#options = options;
    this.inbox = new Inbox(options.userId);
  }

  open(conversationId: string): OpenConversation {
    const known = this.#open.get(conversationId);
    if (known) return known;
    const opened = new OpenConversation(conversationId, {
      userId: this.#options.userId,
      api: this.#options.api,
      pending: (id) => this.#options.pending(id),
      members: (id) => this.inbox.get(id)?.conversation.members ?? [],
      onMessages: (messages) => this.#list(messages),
      onDetails: (details) => this.#takeDetails(details),
    });
    this.#open.set(conversationId, opened);
    return opened;
  }

  /** The newest sequence of a conversation that is shown, else the newest known; 0 says that none is. */
  latest(conversationId: string): number {
    return this.#open.get(conversationId)?.last || (this.inbox.get(conversationId)?.latestSequence ?? 0);
  }

  opened(): OpenConversation[] {
    return [...this.#open.values()];
  }

  /** The newest sequence held without a hole, of each conversation whose messages are held. */
  positions(): Record<string, number> {
    const loaded = this.opened().filter((opened) => opened.last > 0);
    return Object.fromEntries(loaded.map((opened) => [opened.id, opened.last]));
  }

  takeMessages(messages: readonly Message[]): void {
    for (const message of messages) {
      this.#open.get(message.conversationId)?.offer([message]);
    }
    this.#list(messages);
    if (messages.some((message) => !this.inbox.get(message.conversationId))) this.#options.onUnknown();
  }

  takeInboxPage(items: readonly InboxItem[], hasMore: boolean): void {
    this.inbox.takePage(items, hasMore);
    for (const { conversation, receipt } of items) {
      this.#open.get(conversation.id)?.offer([], conversation.latestSequence);
      this.#options.acknowledger.repeat(conversation.id, receipt);
      this.#deliver(conversation.id);
    }
  }

  /** Take a conversation in which something changed: its row, and the messages that were missed. */
  takeSyncItem(item: SyncItem): void {
    const { conversationId, latestSequence, messages, receipt, inboxItem } = item;
    if (inboxItem) this.inbox.takeChanged(inboxItem);
    this.inbox.takeMessages(messages);
    this.inbox.noteHead(conversationId, latestSequence);
    this.#open.get(conversationId)?.offer(messages, latestSequence);
    this.#options.acknowledger.repeat(conversationId, receipt);
    this.inbox.takeOwnMarks(receipt);
    this.#deliver(conversationId);
  }

  takeReceipts(receipts: readonly Receipt[]): void {
    for (const receipt of receipts) {
      if (receipt.userId === this.#options.userId) {
        this.#options.acknowledger.learn(receipt.conversationId, receipt);
        this.inbox.takeOwnMarks(receipt);
      }
      this.#open.get(receipt.conversationId)?.mergeReceipts([receipt]);
    }
  }

  /** Take how this user sees a conversation, as another device changed it; false when it is not listed. */
  takeInboxItem(item: InboxItem): boolean {
    if (!this.inbox.get(item.conversation.id)) return false;
    this.inbox.takeChanged(item);
    return true;
  }

  takeConversation(conversation: Conversation): void {
    this.inbox.takeConversation(conversation);
    this.#open.get(conversation.id)?.offer([], conversation.latestSequence);
  }

  takeAttachment(conversationId: string, sequence: number, attachment: AttachmentRef): void {
    this.#open.get(conversationId)?.replaceAttachment(sequence, attachment);
  }

  remove(conversationId: string): void {
    this.inbox.remove(conversationId);
    this.#open.delete(conversationId);
  }

  /** This user has seen everything up to `sequence`. */
  markRead(conversationId: string, sequence: number): void {
    const entry = this.inbox.get(conversationId);
    if (!entry || sequence <= entry.read) return;
    this.inbox.takeOwnMarks({ conversationId, delivered: sequence, read: sequence });
    this.#options.acknowledger.raise(conversationId, { read: sequence });
  }

  #takeDetails(details: ConversationDetails): void {
    const { receipts, ...conversation } = details;
    this.inbox.takeConversation(conversation);
    const own = receipts.find((receipt) => receipt.userId === this.#options.userId);
    if (own) this.inbox.takeOwnMarks(own);
  }

  #list(messages: readonly Message[]): void {
    this.#options.onLearnt(this.inbox.takeMessages(messages));
    for (const { conversationId, senderId, sequence } of messages) {
      if (senderId === this.#options.userId) {
        const marks = { delivered: sequence, read: sequence };
        this.#options.acknowledger.learn(conversationId, marks);
        // Nothing to send now: to be said again should the service ever have forgotten it.
        this.#options.acknowledger.raise(conversationId, marks);
      }
    }
    for (const id of new Set(messages.map((message) => message.conversationId))) this.#deliver(id);
  }

  /** What this client has without a hole is delivered; where nothing is open, its head is what it shows. */
  #deliver(conversationId: string): void {
    const delivered = this.latest(conversationId);
    if (delivered > 0) this.#options.acknowledger.raise(conversationId, { delivered });
  }
}

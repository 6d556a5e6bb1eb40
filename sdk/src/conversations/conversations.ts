import type { ChatApi } from "../connection/api.ts";
import { OpenConversation } from "../messages/open-conversation.ts";
import type { Outbox } from "../messages/outbox.ts";
import type { Acknowledger } from "../receipts/acknowledger.ts";
import type {
  AttachmentRef,
  Conversation,
  ConversationDetails,
  InboxItem,
  Message,
  Receipt,
  SyncItem,
} from "../types.ts";
import { Inbox } from "./inbox.ts";

export interface ConversationsOptions {
  readonly userId: string;
  readonly api: ChatApi;
  readonly acknowledger: Acknowledger;
  readonly outbox: Pick<Outbox, "pending">;
}

/** All that this client knows of its user's conversations; what arrives, by whichever way, is merged here. */
export class Conversations {
  readonly inbox: Inbox;
  readonly #options: ConversationsOptions;
  readonly #open = new Map<string, OpenConversation>();
  #receivedCount = 0;

  constructor(options: ConversationsOptions) {
    this.#options = options;
    this.inbox = new Inbox(options.userId);
  }

  /** How many messages became known by a push, a send or history, each counted once; those of a sync are left out. */
  get receivedCount(): number {
    return this.#receivedCount;
  }

  open(conversationId: string): OpenConversation {
    const existing = this.#open.get(conversationId);
    if (existing) return existing;
    const opened = new OpenConversation(conversationId, {
      userId: this.#options.userId,
      api: this.#options.api,
      pending: (id) => this.#options.outbox.pending(id),
      members: (id) => this.inbox.get(id)?.conversation.members ?? [],
      onMessages: (messages) => this.#mergeIntoInbox(messages),
      onDetails: (details) => this.#mergeDetails(details),
    });
    this.#open.set(conversationId, opened);
    return opened;
  }

  /** The newest sequence of a conversation that is shown, else the newest known; 0 for none. */
  latest(conversationId: string): number {
    return this.#open.get(conversationId)?.last || (this.inbox.get(conversationId)?.latestSequence ?? 0);
  }

  /** Show the outbox's entries as they are now. */
  refreshOpened(): void {
    for (const opened of this.#open.values()) opened.refresh();
  }

  /** Make at once the reads that wait after a failure. */
  retryNow(): void {
    for (const opened of this.#open.values()) opened.retryNow();
  }

  /** The newest sequence up to which there is no gap, of each conversation whose messages are loaded. */
  positions(): Record<string, number> {
    const loaded = [...this.#open.values()].filter((opened) => opened.last > 0);
    return Object.fromEntries(loaded.map((opened) => [opened.id, opened.last]));
  }

  /** Merge stored messages; false when one belongs to a conversation that is not listed, so the list is out of date. */
  mergeMessages(messages: readonly Message[]): boolean {
    for (const message of messages) this.#open.get(message.conversationId)?.mergeMessages([message]);
    this.#mergeIntoInbox(messages);
    return messages.every((message) => this.inbox.get(message.conversationId));
  }

  mergeInboxPage(items: readonly InboxItem[], hasMore: boolean): void {
    this.inbox.mergePage(items, hasMore);
    for (const { conversation, receipt } of items) {
      this.#open.get(conversation.id)?.mergeMessages([], conversation.latestSequence);
      this.#options.acknowledger.setAcknowledged(conversation.id, receipt);
      this.#acknowledgeDelivery(conversation.id);
    }
  }

  /** Merge a conversation in which something changed: its row in the list, and the missed messages. */
  mergeSyncItem(item: SyncItem): void {
    const { conversationId, latestSequence, messages, receipt, inboxItem } = item;
    if (inboxItem) this.inbox.mergeChanged(inboxItem);
    this.inbox.mergeMessages(messages);
    this.inbox.mergeHead(conversationId, latestSequence);
    this.#open.get(conversationId)?.mergeMessages(messages, latestSequence);
    this.#options.acknowledger.setAcknowledged(conversationId, receipt);
    this.inbox.mergeOwnReceipt(receipt);
    this.#acknowledgeDelivery(conversationId);
  }

  /** Read again what a sync does not tell: the other members' receipts, where something changed (null: everywhere). */
  async afterSync(changed: ReadonlySet<string> | null): Promise<void> {
    for (const opened of [...this.#open.values()]) {
      opened.retryNow();
      if (changed === null || changed.has(opened.id)) await opened.reloadReceipts().catch(() => undefined);
    }
  }

  mergeReceipts(receipts: readonly Receipt[]): void {
    for (const receipt of receipts) {
      if (receipt.userId === this.#options.userId) {
        this.#options.acknowledger.mergeAcknowledged(receipt.conversationId, receipt);
        this.inbox.mergeOwnReceipt(receipt);
      }
      this.#open.get(receipt.conversationId)?.mergeReceipts([receipt]);
    }
  }

  /** Merge this user's own view of a conversation, as another device changed it; false when it is not listed. */
  mergeInboxItem(item: InboxItem): boolean {
    if (!this.inbox.get(item.conversation.id)) return false;
    this.inbox.mergeChanged(item);
    return true;
  }

  mergeConversation(conversation: Conversation): void {
    this.inbox.mergeConversation(conversation);
    this.#open.get(conversation.id)?.mergeMessages([], conversation.latestSequence);
  }

  replaceAttachment(conversationId: string, sequence: number, attachment: AttachmentRef): void {
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
    this.inbox.mergeOwnReceipt({ conversationId, delivered: sequence, read: sequence });
    this.#options.acknowledger.raise(conversationId, { read: sequence });
  }

  #mergeDetails(details: ConversationDetails): void {
    const { receipts, ...conversation } = details;
    this.inbox.mergeConversation(conversation);
    const own = receipts.find((receipt) => receipt.userId === this.#options.userId);
    if (own) this.inbox.mergeOwnReceipt(own);
  }

  #mergeIntoInbox(messages: readonly Message[]): void {
    this.#receivedCount += this.inbox.mergeMessages(messages);
    for (const { conversationId, senderId, sequence } of messages) {
      if (senderId === this.#options.userId) {
        const marks = { delivered: sequence, read: sequence };
        this.#options.acknowledger.mergeAcknowledged(conversationId, marks);
        // Nothing is due now. Should the service lose this mark, `setAcknowledged` makes it due again.
        this.#options.acknowledger.raise(conversationId, marks);
      }
    }
    for (const id of new Set(messages.map((message) => message.conversationId))) this.#acknowledgeDelivery(id);
  }

  /** Delivered is what this client shows: an open conversation up to its first gap, else the newest message in the list. */
  #acknowledgeDelivery(conversationId: string): void {
    const delivered = this.latest(conversationId);
    if (delivered > 0) this.#options.acknowledger.raise(conversationId, { delivered });
  }
}

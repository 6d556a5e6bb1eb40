import type { ChatApi } from "../src/connection/api.ts";
import type { Conversation, HistoryPage, InboxItem, Message, Receipt, SyncItem } from "../src/types.ts";

export const CONVERSATION = "c-1";
export const ME = "ann";
export const OTHER = "ben";

export function message(sequence: number, over: Partial<Message> = {}): Message {
  return {
    conversationId: CONVERSATION,
    sequence,
    senderId: OTHER,
    clientMessageId: `id-${sequence}`,
    kind: "text",
    body: `text ${sequence}`,
    attachments: [],
    replyTo: null,
    sentAt: 1_000_000 + sequence,
    status: "sent",
    ...over,
  };
}

export function messages(first: number, last: number): Message[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => message(first + index));
}

export function conversation(over: Partial<Conversation> = {}): Conversation {
  const member = (userId: string) => ({ userId, role: "member" as const, joinedAt: 1, historyFrom: 1 });
  return {
    id: CONVERSATION,
    kind: "direct",
    title: "",
    members: [member(ME), member(OTHER)],
    createdAt: 1_000_000,
    latestSequence: 0,
    version: 1,
    ...over,
  };
}

export function receipt(upTo: number, userId = ME): Receipt {
  return { conversationId: CONVERSATION, userId, delivered: upTo, read: upTo, updatedAt: 1 };
}

export function inboxItem(over: Partial<InboxItem> & { read?: number } = {}): InboxItem {
  const conversationOf = over.conversation ?? conversation();
  const read = over.read ?? 0;
  return {
    conversation: conversationOf,
    lastMessage: null,
    unreadCount: conversationOf.latestSequence - read,
    receipt: { conversationId: conversationOf.id, userId: ME, delivered: read, read, updatedAt: 1 },
    muted: false,
    mutedUntil: null,
    ...over,
  };
}

/** History as the service keeps it: complete, paged and synced by the contract's rules. */
export class StoredHistory {
  readonly stored: Message[] = [];
  requests = 0;

  grow(count: number): Message[] {
    const grown = messages(this.stored.length + 1, this.stored.length + count);
    this.stored.push(...grown);
    return grown;
  }

  api(): ChatApi {
    const history = (_: string, range: { before?: number; after?: number; limit?: number }) =>
      Promise.resolve(this.page(range));
    const details = () =>
      Promise.resolve({ ...conversation({ latestSequence: this.stored.length }), receipts: [] });
    return { history, conversation: details } as unknown as ChatApi;
  }

  page({ before, after, limit = 50 }: { before?: number; after?: number; limit?: number }): HistoryPage {
    this.requests += 1;
    const latestSequence = this.stored.length;
    const items =
      after === undefined
        ? this.stored.filter(({ sequence }) => sequence < (before ?? Infinity)).slice(-limit)
        : this.stored.filter(({ sequence }) => sequence > after).slice(0, limit);
    return { items, latestSequence };
  }

  sync(position: number, limit: number): SyncItem {
    const missing = this.stored.filter(({ sequence }) => sequence > position);
    return {
      conversationId: CONVERSATION,
      latestSequence: this.stored.length,
      messages: missing.slice(-limit),
      complete: missing.length <= limit,
      receipt: receipt(0),
    };
  }
}

/** Let promises that are ready settle. */
export async function settle(turns = 50): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
}

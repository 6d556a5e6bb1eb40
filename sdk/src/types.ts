/** The things of the wire contract, version 1. Times are epoch milliseconds; sequence 0 means none. */

export type ConversationKind = "direct" | "group";
export type Role = "owner" | "admin" | "member";
export type MessageStatus = "sent" | "delivered" | "read";
export type AttachmentState = "pending" | "clean" | "rejected";

export interface Member {
  userId: string;
  role: Role;
  joinedAt: number;
  historyFrom: number;
}

export interface Conversation {
  id: string;
  kind: ConversationKind;
  title: string | null;
  members: Member[];
  createdAt: number;
  latestSequence: number;
  version: number;
}

export interface AttachmentRef {
  attachmentId: string;
  fileName: string;
  contentType: string;
  sizeBytes: number;
  width: number | null;
  height: number | null;
  state: AttachmentState;
}

export interface Message {
  conversationId: string;
  sequence: number;
  senderId: string;
  clientMessageId: string;
  kind: "text" | "system";
  body: string;
  attachments: AttachmentRef[];
  replyTo: number | null;
  sentAt: number;
  status: MessageStatus;
}

export interface Receipt {
  conversationId: string;
  userId: string;
  delivered: number;
  read: number;
  updatedAt: number;
}

export interface Presence {
  userId: string;
  status: "online" | "offline";
  lastSeenAt: number | null;
}

export interface InboxItem {
  conversation: Conversation;
  lastMessage: Message | null;
  unreadCount: number;
  receipt: Receipt;
  muted: boolean;
}

export interface ConversationDetails extends Conversation {
  receipts: Receipt[];
}

export interface Profile {
  userId: string;
  displayName: string;
  avatarUrl: string | null;
}

/** How much a notification tells: that there is something, who wrote, or what. */
export type PreviewLevel = "nothing" | "sender" | "text";

export interface Me extends Profile {
  settings: { preview?: PreviewLevel; blocked?: string[] };
  push: { publicKey: string | null };
}

export interface Contact extends Profile {
  presence: Presence | null;
}

export interface HistoryPage {
  items: Message[];
  latestSequence: number;
}

export interface SyncItem {
  conversationId: string;
  latestSequence: number;
  messages: Message[];
  complete: boolean;
  receipt: Receipt | null;
}

export interface UploadGrant {
  attachmentId: string;
  uploadUrl: string;
  headers: Record<string, string>;
  expiresAt: number;
}

/** What a person is about to say; the outbox gives it its identity. */
export interface Draft {
  body: string;
  attachments?: readonly AttachmentRef[];
  replyTo?: number | null;
}

export interface SendRequest {
  conversationId: string;
  clientMessageId: string;
  body: string;
  attachments?: string[];
  replyTo?: number;
  retry?: true;
}

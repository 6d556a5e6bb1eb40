/** The things of the wire contract, as its documents name them, and the few that are the SDK's own. */

import type { AttachmentRef, ConversationId, NewMessage } from "./generated/contract.ts";

export type {
  AttachmentRef,
  AttachmentState,
  Contact,
  Conversation,
  ConversationDetails,
  ConversationKind,
  HistoryPage,
  InboxItem,
  InboxPage,
  Me,
  Member,
  Message,
  MessageStatus,
  Presence,
  PreviewLevel,
  Receipt,
  Role,
  SyncItem,
  SyncPage,
  UploadGrant,
} from "./generated/contract.ts";

/** What a person is about to say; the outbox gives it its identity. */
export interface Draft {
  body: string;
  attachments?: readonly AttachmentRef[];
  replyTo?: number | null;
}

export interface SendRequest extends NewMessage {
  conversationId: ConversationId;
}

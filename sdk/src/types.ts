/** The types of docs/openapi.yaml by their names there, and two of the SDK's own. */

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

/** A message to send; the outbox gives it its id. */
export interface Draft {
  body: string;
  attachments?: readonly AttachmentRef[];
  replyTo?: number | null;
}

export interface SendRequest extends NewMessage {
  conversationId: ConversationId;
}

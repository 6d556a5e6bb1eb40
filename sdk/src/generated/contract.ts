// Made by `make types` from docs/openapi.yaml and docs/asyncapi.yaml; do not edit.
/* eslint-disable max-lines -- a list of what the documents name */

/** A principal of the website, with at least one letter or digit. */
export type UserId = string;

/** d- for a direct conversation, derived from its two members; g- for a group. */
export type ConversationId = string;

export type AttachmentId = string;

export type SubscriptionId = string;

/** A UUID that the client makes once for each message; kept in lower case. */
export type ClientMessageId = string;

/** Counts 1, 2, 3 ... in each conversation without gaps and repeats; 0 means none. */
export type Sequence = number;

/** Epoch milliseconds. */
export type Time = number;

/** See docs/protocol.md#errors. */
export type Code = "invalid" | "sequence_out_of_range" | "unauthenticated" | "forbidden" | "principal_mismatch" | "blocked" | "not_found" | "user_not_found" | "conversation_full" | "not_ready" | "rejected" | "too_large" | "unsupported_type" | "rate_limited" | "busy" | "unavailable";

/** A refusal (RFC 9457). */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: Code;
  /** For developers; it names the field of an invalid one. */
  detail: string;
  retryAfterMs: number | null;
}

/** The same call will not succeed as it is. */
export type FinalProblem = Problem & {
  retryAfterMs?: null;
};

/** The same call may succeed after `retryAfterMs`. */
export type PassingProblem = Problem & {
  retryAfterMs?: number;
};

export type Role = "owner" | "admin" | "member";

export interface Member {
  userId: UserId;
  role: Role;
  joinedAt: Time;
  /** The first sequence this member may see. */
  historyFrom: number;
}

export type ConversationKind = "direct" | "group";

export interface Conversation {
  id: ConversationId;
  kind: ConversationKind;
  /** Empty where there is none. */
  title: string;
  members: Member[];
  createdAt: Time;
  latestSequence: Sequence;
  /** Grows with every change of members or title. */
  version: number;
}

export interface ConversationDetails {
  id: ConversationId;
  kind: ConversationKind;
  title: string;
  members: Member[];
  createdAt: Time;
  latestSequence: Sequence;
  version: number;
  /** One for each member. */
  receipts: Receipt[];
}

export type AttachmentState = "pending" | "clean" | "rejected";

export interface AttachmentRef {
  attachmentId: AttachmentId;
  fileName: FileName;
  contentType: ContentType;
  sizeBytes: number;
  /** Pixels, of an image. */
  width: number | null;
  /** Pixels, of an image. */
  height: number | null;
  state: AttachmentState;
}

/** What the sender sees; `delivered` and `read` mean every other member. */
export type MessageStatus = "sent" | "delivered" | "read";

export interface Message {
  conversationId: ConversationId;
  sequence: number;
  senderId: UserId;
  clientMessageId: ClientMessageId;
  kind: "text" | "system";
  /** Of a text at most 8,000 characters. Empty, without attachments, once its sender was erased. */
  body: string;
  attachments: AttachmentRef[];
  replyTo: number | null;
  sentAt: Time;
  status: MessageStatus;
}

export interface Receipt {
  conversationId: ConversationId;
  userId: UserId;
  delivered: Sequence;
  read: Sequence;
  /** Epoch milliseconds; null before a watermark first moved. */
  updatedAt: number | null;
}

export interface Presence {
  userId: UserId;
  status: "online" | "offline";
  /** Epoch milliseconds; null when it is not known, or not to be known. */
  lastSeenAt: number | null;
}

export interface InboxItem {
  conversation: Conversation;
  lastMessage: Message | null;
  unreadCount: number;
  receipt: Receipt;
  muted: boolean;
  /** Epoch milliseconds; null when the conversation is not muted, or not any more. */
  mutedUntil: number | null;
}

export interface SyncItem {
  conversationId: ConversationId;
  latestSequence: Sequence;
  messages: Message[];
  /** False: what lies before the messages is to be paged. */
  complete: boolean;
  receipt: Receipt;
  inboxItem?: InboxItem;
}

export interface ConnectionInfo {
  url: string;
  accessToken: string;
}

/** Nothing; who wrote; or also what. */
export type PreviewLevel = "nothing" | "sender" | "text";

export interface Me {
  userId: UserId;
  displayName: string;
  /** Empty where there is none. */
  avatarUrl: string;
  settings: {
    preview: PreviewLevel;
    /** Whom the caller blocks. */
    blocked: UserId[];
  };
  push: {
    /** What a browser subscribes with; base64url of a P-256 point. */
    publicKey: string;
  };
}

export interface Contact {
  userId: UserId;
  displayName: string;
  avatarUrl: string;
  presence: Presence;
}

export interface Contacts {
  items: Contact[];
}

export interface Presences {
  items: Presence[];
}

export interface InboxPage {
  items: InboxItem[];
  /** Opaque; null when this is the last page. */
  continuation: string | null;
}

export interface HistoryPage {
  items: Message[];
  latestSequence: Sequence;
}

export interface Posted {
  message: Message;
}

export interface Mute {
  conversationId: ConversationId;
  /** Epoch milliseconds. */
  until: number | null;
}

export interface SyncPage {
  items: SyncItem[];
  more: boolean;
  cursor: SyncCursor;
  /** True when `since` could not be honoured: the answer is as without it, and whatever the client shows beside messages may be old. Absent otherwise. */
  reset?: boolean;
  /** Conversations of which the caller is a member no more, since the cursor. Absent when there are none. */
  removed?: ConversationId[];
}

/** Opaque; up to where this answer knows what changed. One user's alone. */
export type SyncCursor = string;

export interface UploadGrant {
  attachmentId: AttachmentId;
  uploadUrl: string;
  headers: Record<string, string>;
  expiresAt: Time;
}

export type CheckState = "ok" | "unavailable";

export interface Health {
  status: "ok" | "degraded" | "unavailable";
  checks: {
    cosmos: CheckState;
    redis: CheckState;
    signalr: CheckState;
    serviceBus: CheckState;
    blob: CheckState;
  };
}

export interface SettingsChange {
  preview: PreviewLevel;
}

export interface NewConversation {
  kind: ConversationKind;
  /** The others; a repeated id counts once. */
  memberIds: UserId[];
  title?: string | null;
}

export interface Rename {
  title: string;
}

export interface NewMembers {
  userIds: UserId[];
}

/** Only the id counts; name, type and size come from the grant. */
export type AttachmentChoice = AttachmentId | {
  attachmentId: AttachmentId;
};

/** It has a text that is not white space alone, or an attachment. */
export interface NewMessage {
  clientMessageId: ClientMessageId;
  body?: string;
  attachments?: AttachmentChoice[] | null;
  /** The sequence of a message of this conversation that the sender may see. */
  replyTo?: number | null;
  /** This message was tried before, so it may be stored already. */
  retry?: boolean;
}

/** At least one of the two. */
export interface Acknowledgement {
  delivered?: number | null;
  read?: number | null;
}

export interface MuteChange {
  /** Epoch milliseconds; null turns notifications on again; the maximum turns them off for good. */
  until: number | null;
}

/** No slash, backslash or control character, and not dots and spaces alone. Stored without what is invisible in it, and with an extension of its type: what `attachmentRef.fileName` says. */
export type FileName = string;

export type ContentType = "image/png" | "image/jpeg" | "image/gif" | "image/webp" | "application/pdf" | "application/zip" | "application/vnd.openxmlformats-officedocument.wordprocessingml.document" | "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" | "application/vnd.openxmlformats-officedocument.presentationml.presentation" | "audio/mpeg" | "audio/ogg" | "audio/wav" | "video/mp4" | "video/quicktime" | "video/webm" | "text/plain";

export interface NewAttachment {
  fileName: FileName;
  contentType: ContentType;
  sizeBytes: number;
}

export interface SyncRequest {
  /** The newest sequence the client has of each conversation, with nothing lacking before it. What cannot be a conversation is ignored. */
  positions?: Record<string, Sequence>;
  /** The cursor of an earlier answer: only what changed since is answered. One that cannot be honoured, or is not a cursor, counts as none, and the answer says `reset`. `now` asks for a cursor of this moment and nothing else, by a client that reads the inbox next. */
  since?: string | null;
  /** Most messages of one conversation; 50 when absent. */
  limit?: number | null;
}

/** What a browser's PushManager gives. */
export interface WebPushSubscription {
  /** May be left out. */
  platform?: "webpush";
  endpoint: string;
  keys: {
    /** base64url of 65 bytes, a point of P-256. */
    p256dh: string;
    /** base64url of 16 bytes. */
    auth: string;
  };
}

export interface ApnsRegistration {
  platform: "apns";
  /** The device token, in hexadecimal. */
  handle: string;
}

export interface FcmRegistration {
  platform: "fcmv1";
  /** The registration token. */
  handle: string;
}

export type PushSubscription = WebPushSubscription | ApnsRegistration | FcmRegistration;

export interface FedUser {
  userId: UserId;
  /** Cut at 200 characters; the id stands in for a missing or empty one. */
  displayName?: string | null;
  avatarUrl?: string;
  contacts?: UserId[];
  blocked?: UserId[];
}

export interface UserFeed {
  items: FedUser[];
}

export interface Step {
  /** From the answer before; absent or null in the first call. */
  continuation?: string | null;
}

/** What to call again with; null when all is done. */
export type Continuation = string | null;

export interface ExportPart {
  userId: UserId;
  user: null | ExportedUser;
  conversations: ExportedConversation[];
  messages: ExportedMessage[];
  files: ExportedFile[];
  continuation: Continuation;
}

export interface ExportedUser {
  displayName: string;
  avatarUrl: string;
  contacts: UserId[];
  blocked: UserId[];
  settings: {
    preview: PreviewLevel;
  };
  pushSubscriptions: ({
    id: string;
    endpoint: string;
  })[];
}

export interface ExportedConversation {
  conversationId: ConversationId;
  /** Null where the user wrote once and is no member any more. */
  member: null | {
    kind: "direct" | "group";
    title: string;
    role: "owner" | "admin" | "member";
    joinedAt: Time;
    historyFrom: Sequence;
    mutedUntil: number | null;
    receipt: Receipt;
  };
}

export interface ExportedMessage {
  conversationId: ConversationId;
  sequence: Sequence;
  senderId: UserId;
  clientMessageId: ClientMessageId;
  kind: "text" | "system";
  body: string;
  attachments: AttachmentRef[];
  replyTo: number | null;
  sentAt: Time;
}

export interface ExportedFile {
  conversationId: ConversationId;
  sequence: Sequence;
  attachment: AttachmentRef;
  /** Reads the file for ten minutes; null where the scanner refused it. */
  url: string | null;
}

export interface ErasurePart {
  userId: UserId;
  removed: ({
    store: string;
    what: string;
    count: number;
  })[];
  kept: ({
    store: string;
    what: string;
    why: string;
  })[];
  continuation: Continuation;
}

export type SendMessage = NewMessage & {
  conversationId: ConversationId;
};

export type Acknowledge = Acknowledgement & {
  conversationId: ConversationId;
};

/** Nothing yet. */
export type Heartbeat = Record<string, unknown>;

export interface SetTyping {
  conversationId: ConversationId;
  typing: boolean;
}

export interface WatchPresence {
  /** Replaces the set; who is on screen. */
  userIds: UserId[];
}

export interface HubError {
  code: Code;
  /** For developers; it names the field of an invalid one. */
  detail: string;
  /** With `rate_limited` and `unavailable` alone. */
  retryAfterMs?: number;
  /** Of a `sendMessage` refused, as it was sent, cut at 64 characters. */
  clientMessageId?: string;
}

export interface Refusal {
  ok: false;
  error: HubError;
}

export interface MessageStored {
  ok: true;
  message: Message;
}

export type SendMessageResult = MessageStored | Refusal;

export interface ReceiptMoved {
  ok: true;
  receipt: Receipt;
}

export type AcknowledgeResult = ReceiptMoved | Refusal;

export interface Beat {
  ok: true;
  serverTime: Time;
  /** Counts messages to this user. A client that knows of fewer has missed a push and syncs. It may start again from a lower number. */
  activity: number;
  /** When to show life again. */
  nextInMs: number;
  /** After the loss of this connection, wait a part of this time, by chance, before the first attempt: not all come back in one moment then. */
  reconnectWithinMs: number;
}

export type HeartbeatResult = Beat | Refusal;

export interface Done {
  ok: true;
}

export type SetTypingResult = Done | Refusal;

export interface Watched {
  ok: true;
  /** One for each user asked for, in their order. */
  items: Presence[];
}

export type WatchPresenceResult = Watched | Refusal;

export interface MessagePosted {
  message: Message;
}

export interface ReceiptAdvanced {
  items: Receipt[];
}

export interface PresenceChanged {
  items: Presence[];
}

export interface Typing {
  conversationId: ConversationId;
  userId: UserId;
  typing: boolean;
}

export interface ConversationChanged {
  conversation: Conversation;
}

export interface ConversationRemoved {
  conversationId: ConversationId;
}

export interface InboxChanged {
  item: InboxItem;
}

export interface AttachmentChanged {
  conversationId: ConversationId;
  sequence: number;
  attachment: AttachmentRef;
}

/** The calls of HTTP, below `/api`. */
export interface Operations {
  /** Get a connection to the hub. */
  negotiate: {
    method: "POST";
    path: "/negotiate";
    body: undefined;
    answer: ConnectionInfo;
  };
  /** Tell the caller who they are. */
  me: {
    method: "GET";
    path: "/me";
    body: undefined;
    answer: Me;
  };
  /** Choose how much a notification tells. */
  update_settings: {
    method: "PATCH";
    path: "/me/settings";
    body: SettingsChange;
    answer: Me;
  };
  /** List the caller's contacts, in the website's order, with their presence. */
  list_contacts: {
    method: "GET";
    path: "/contacts";
    body: undefined;
    answer: Contacts;
  };
  /** Tell who of up to 200 users is online. */
  get_presence: {
    method: "GET";
    path: "/presence";
    body: undefined;
    answer: Presences;
  };
  /** Block a user, at once and both ways. */
  block_user: {
    method: "PUT";
    path: "/blocks/{userId}";
    body: undefined;
    answer: undefined;
  };
  /** Lift the caller's block of a user. */
  unblock_user: {
    method: "DELETE";
    path: "/blocks/{userId}";
    body: undefined;
    answer: undefined;
  };
  /** Say where one device's notifications go. */
  put_push_subscription: {
    method: "PUT";
    path: "/push-subscriptions/{subscriptionId}";
    body: PushSubscription;
    answer: undefined;
  };
  /** Forget a device, known or not. */
  delete_push_subscription: {
    method: "DELETE";
    path: "/push-subscriptions/{subscriptionId}";
    body: undefined;
    answer: undefined;
  };
  /** List the caller's inbox, newest activity first. */
  list_conversations: {
    method: "GET";
    path: "/conversations";
    body: undefined;
    answer: InboxPage;
  };
  /** Start a conversation, or get the one direct conversation of a pair. */
  create_conversation: {
    method: "POST";
    path: "/conversations";
    body: NewConversation;
    answer: Conversation;
  };
  /** Show a conversation with everyone's receipts. */
  get_conversation: {
    method: "GET";
    path: "/conversations/{conversationId}";
    body: undefined;
    answer: ConversationDetails;
  };
  /** Change a group's title. */
  rename_conversation: {
    method: "PATCH";
    path: "/conversations/{conversationId}";
    body: Rename;
    answer: Conversation;
  };
  /** Add users to a group. */
  add_members: {
    method: "POST";
    path: "/conversations/{conversationId}/members";
    body: NewMembers;
    answer: Conversation;
  };
  /** Remove a member, or leave with one's own id. */
  remove_member: {
    method: "DELETE";
    path: "/conversations/{conversationId}/members/{userId}";
    body: undefined;
    answer: undefined;
  };
  /** Page through history by sequence. */
  list_messages: {
    method: "GET";
    path: "/conversations/{conversationId}/messages";
    body: undefined;
    answer: HistoryPage;
  };
  /** Post a message. */
  post_message: {
    method: "POST";
    path: "/conversations/{conversationId}/messages";
    body: NewMessage;
    answer: Posted;
  };
  /** Advance the caller's watermarks. */
  put_receipt: {
    method: "PUT";
    path: "/conversations/{conversationId}/receipt";
    body: Acknowledgement;
    answer: Receipt;
  };
  /** Turn the caller's notifications of a conversation off until a time, or on again. */
  mute_conversation: {
    method: "PUT";
    path: "/conversations/{conversationId}/mute";
    body: MuteChange;
    answer: Mute;
  };
  /** Get leave to upload one file. */
  grant_attachment: {
    method: "POST";
    path: "/conversations/{conversationId}/attachments";
    body: NewAttachment;
    answer: UploadGrant;
  };
  /** Lead to a file, or to its small copy. */
  get_attachment: {
    method: "GET";
    path: "/conversations/{conversationId}/attachments/{attachmentId}";
    body: undefined;
    answer: undefined;
  };
  /** Say what the caller lacks, after any absence. */
  sync: {
    method: "POST";
    path: "/sync";
    body: SyncRequest;
    answer: SyncPage;
  };
  /** Take over users from the website. */
  feed_users: {
    method: "POST";
    path: "/site/users";
    body: UserFeed;
    answer: undefined;
  };
  /** Get a part of what there is of one user. */
  export_user: {
    method: "POST";
    path: "/site/users/{userId}/export";
    body: Step;
    answer: ExportPart;
  };
  /** Erase a part of what there is of one user. */
  erase_user: {
    method: "POST";
    path: "/site/users/{userId}/erase";
    body: Step;
    answer: ErasurePart;
  };
  /** Tell whether the services behind the chat answer. */
  health: {
    method: "GET";
    path: "/health";
    body: undefined;
    answer: Health;
  };
}

/** The hub's methods. */
export interface HubMethods {
  /** Store a message durably, and push it to every connection of every member. */
  sendMessage: { argument: SendMessage; result: SendMessageResult };
  /** Advance the caller's watermarks. */
  acknowledge: { argument: Acknowledge; result: AcknowledgeResult };
  /** Show life, and learn whether a push was missed. */
  heartbeat: { argument: Heartbeat; result: HeartbeatResult };
  /** Say that the caller types, or has stopped. */
  setTyping: { argument: SetTyping; result: SetTypingResult };
  /** Watch exactly these users from this connection on. */
  watchPresence: { argument: WatchPresence; result: WatchPresenceResult };
}

/** The hub's events. */
export interface HubEvents {
  /** A message was stored. To every connection of every member, possibly the sender's own. */
  messagePosted: MessagePosted;
  /** Watermarks moved. In a group, many at once and within some seconds. */
  receiptAdvanced: ReceiptAdvanced;
  /** Somebody this connection watches came or went. */
  presenceChanged: PresenceChanged;
  /** Somebody types, or has stopped. */
  typing: Typing;
  /** A conversation is new to the user, or its members or title changed. */
  conversationChanged: ConversationChanged;
  /** The user is no member any more. */
  conversationRemoved: ConversationRemoved;
  /** The user muted a conversation, or ended that, on one of their devices. */
  inboxChanged: InboxChanged;
  /** A file of a message was found clean, or rejected. */
  attachmentChanged: AttachmentChanged;
}

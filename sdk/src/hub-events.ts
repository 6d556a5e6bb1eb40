import type { Conversations } from "./conversations.ts";
import { isRecord } from "./errors.ts";
import type { PresenceWatch } from "./presence-watch.ts";
import type { AttachmentRef, Conversation, Message, Presence, Receipt } from "./types.ts";
import type { TypingWatch } from "./typing.ts";

interface Subscribable {
  on(event: string, handler: (argument: unknown) => void): void;
}

export interface EventTargets {
  readonly userId: string;
  readonly conversations: Conversations;
  readonly typing: TypingWatch;
  readonly presence: PresenceWatch;
  /** A conversation that this client does not list appeared. */
  onUnknown(): void;
}

/** Lead every event of the hub to where it belongs. A push is a hint: what is malformed is ignored. */
export function listen(hub: Subscribable, targets: EventTargets): void {
  const { conversations, typing, presence, userId } = targets;
  const on = <T>(event: string, handler: (argument: T) => void): void => {
    hub.on(event, (argument) => {
      if (isRecord(argument)) handler(argument as T);
    });
  };

  on<{ message: Message }>("messagePosted", ({ message }) => {
    typing.take(message.conversationId, message.senderId, false);
    conversations.takeMessages([message]);
  });
  on<{ items: Receipt[] }>("receiptAdvanced", ({ items }) => conversations.takeReceipts(items));
  on<{ items: Presence[] }>("presenceChanged", ({ items }) => presence.take(items));
  on<{ conversationId: string; userId: string; typing: boolean }>("typing", (event) => {
    if (event.userId !== userId) typing.take(event.conversationId, event.userId, event.typing);
  });
  on<{ conversation: Conversation }>("conversationChanged", ({ conversation }) => {
    if (conversations.inbox.get(conversation.id)) conversations.takeConversation(conversation);
    else targets.onUnknown();
  });
  on<{ conversationId: string }>("conversationRemoved", ({ conversationId }) =>
    conversations.remove(conversationId),
  );
  on<{ conversationId: string; sequence: number; attachment: AttachmentRef }>("attachmentChanged", (event) =>
    conversations.takeAttachment(event.conversationId, event.sequence, event.attachment),
  );
}

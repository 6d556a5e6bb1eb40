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

interface Events {
  messagePosted: { message: Message };
  receiptAdvanced: { items: Receipt[] };
  presenceChanged: { items: Presence[] };
  typing: { conversationId: string; userId: string; typing: boolean };
  conversationChanged: { conversation: Conversation };
  conversationRemoved: { conversationId: string };
  attachmentChanged: { conversationId: string; sequence: number; attachment: AttachmentRef };
}

/** Lead every event of the hub to where it belongs. A push is a hint: what is malformed is ignored. */
export function listen(hub: Subscribable, targets: EventTargets): void {
  const { conversations, typing, presence, userId } = targets;
  const on = <K extends keyof Events>(event: K, handler: (argument: Events[K]) => void): void => {
    hub.on(event, (argument) => {
      if (isRecord(argument)) handler(argument as unknown as Events[K]);
    });
  };

  on("messagePosted", ({ message }) => {
    typing.take(message.conversationId, message.senderId, false);
    conversations.takeMessages([message]);
  });
  on("receiptAdvanced", ({ items }) => conversations.takeReceipts(items));
  on("presenceChanged", ({ items }) => presence.take(items));
  on("typing", (event) => {
    if (event.userId !== userId) typing.take(event.conversationId, event.userId, event.typing);
  });
  on("conversationChanged", ({ conversation }) => {
    if (conversations.inbox.get(conversation.id)) conversations.takeConversation(conversation);
    else targets.onUnknown();
  });
  on("conversationRemoved", ({ conversationId }) => conversations.remove(conversationId));
  on("attachmentChanged", (event) =>
    conversations.takeAttachment(event.conversationId, event.sequence, event.attachment),
  );
}

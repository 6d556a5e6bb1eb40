import { isRecord } from "./common/errors.ts";
import type { Conversations } from "./conversations/conversations.ts";
import type { HubEvents } from "./generated/contract.ts";
import type { PresenceWatch } from "./presence/presence-watch.ts";
import type { TypingWatch } from "./presence/typing.ts";

interface Subscribable {
  on(event: string, handler: (argument: unknown) => void): void;
}

export interface EventTargets {
  readonly userId: string;
  readonly conversations: Conversations;
  readonly typing: TypingWatch;
  readonly presence: PresenceWatch;
  /** The list of conversations is out of date, and the event does not carry what is missing. */
  onStaleList(): void;
}

/** Merge every event of the hub into the part that it is about; a malformed event is ignored, since a sync brings its content. */
export function listen(hub: Subscribable, targets: EventTargets): void {
  const { conversations, typing, presence, userId } = targets;
  const on = <K extends keyof HubEvents>(event: K, handler: (argument: HubEvents[K]) => void): void => {
    hub.on(event, (argument) => {
      if (isRecord(argument)) handler(argument as unknown as HubEvents[K]);
    });
  };

  on("messagePosted", ({ message }) => {
    typing.setTyping(message.conversationId, message.senderId, false);
    if (!conversations.mergeMessages([message])) targets.onStaleList();
  });
  on("receiptAdvanced", ({ items }) => conversations.mergeReceipts(items));
  on("presenceChanged", ({ items }) => presence.merge(items));
  on("typing", (event) => {
    if (event.userId !== userId) typing.setTyping(event.conversationId, event.userId, event.typing);
  });
  on("conversationChanged", ({ conversation }) => {
    if (conversations.inbox.get(conversation.id)) conversations.mergeConversation(conversation);
    else targets.onStaleList();
  });
  on("inboxChanged", ({ item }) => {
    if (!conversations.mergeInboxItem(item)) targets.onStaleList();
  });
  on("conversationRemoved", ({ conversationId }) => conversations.remove(conversationId));
  on("attachmentChanged", (event) =>
    conversations.replaceAttachment(event.conversationId, event.sequence, event.attachment),
  );
}

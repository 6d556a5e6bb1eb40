import type { Conversations } from "./conversations.ts";
import { isRecord } from "./errors.ts";
import type { HubEvents } from "./generated/contract.ts";
import type { PresenceWatch } from "./presence-watch.ts";
import type { TypingWatch } from "./typing.ts";

interface Subscribable {
  on(event: string, handler: (argument: unknown) => void): void;
}

export interface EventTargets {
  readonly userId: string;
  readonly conversations: Conversations;
  readonly typing: TypingWatch;
  readonly presence: PresenceWatch;
  /** Something changed that the event does not tell: the list is to be read again. */
  onStale(): void;
}

/** Lead every event of the hub to where it belongs. A push is a hint: what is malformed is ignored. */
export function listen(hub: Subscribable, targets: EventTargets): void {
  const { conversations, typing, presence, userId } = targets;
  const on = <K extends keyof HubEvents>(event: K, handler: (argument: HubEvents[K]) => void): void => {
    hub.on(event, (argument) => {
      if (isRecord(argument)) handler(argument as unknown as HubEvents[K]);
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
    const known = conversations.inbox.get(conversation.id);
    if (known) conversations.takeConversation(conversation);
    else targets.onStale();
  });
  on("inboxChanged", ({ item }) => {
    if (!conversations.takeInboxItem(item)) targets.onStale();
  });
  on("conversationRemoved", ({ conversationId }) => conversations.remove(conversationId));
  on("attachmentChanged", (event) =>
    conversations.takeAttachment(event.conversationId, event.sequence, event.attachment),
  );
}

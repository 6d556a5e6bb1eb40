import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Conversations } from "../src/conversations/conversations.ts";
import { listen } from "../src/hub-events.ts";
import { PresenceWatch } from "../src/presence/presence-watch.ts";
import { TypingWatch } from "../src/presence/typing.ts";
import { Acknowledger } from "../src/receipts/acknowledger.ts";
import { CONVERSATION, ME, OTHER, StoredHistory, conversation, inboxItem, message } from "./samples.ts";

function setUp() {
  const acknowledger = new Acknowledger(() => Promise.resolve({ delivered: 0, read: 0 }));
  const api = new StoredHistory().api();
  return new Conversations({ userId: ME, api, acknowledger, outbox: { pending: () => [] } });
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("the hub's events", () => {
  function hub() {
    const handlers = new Map<string, (argument: unknown) => void>();
    const typing = new TypingWatch();
    const presence = new PresenceWatch(() => Promise.resolve([]));
    const conversations = setUp();
    const onStaleList = vi.fn();
    conversations.mergeInboxPage([inboxItem()], false);
    listen(
      { on: (event, handler) => handlers.set(event, handler) },
      { userId: ME, conversations, typing, presence, onStaleList },
    );
    const emit = (event: string, argument: unknown) => handlers.get(event)?.(argument);
    return { conversations, typing, presence, onStaleList, emit };
  }

  test("are merged where they belong", () => {
    const { emit, conversations, typing, presence } = hub();

    emit("typing", { conversationId: CONVERSATION, userId: OTHER, typing: true });
    const typed = typing.store(CONVERSATION).get();
    emit("messagePosted", { message: message(1) });
    emit("receiptAdvanced", { items: [{ conversationId: CONVERSATION, userId: ME, delivered: 1, read: 1, updatedAt: 1 }] });
    emit("presenceChanged", { items: [{ userId: OTHER, status: "online", lastSeenAt: null }] });
    emit("conversationChanged", { conversation: conversation({ version: 2, title: "new", latestSequence: 1 }) });
    const entry = conversations.inbox.get(CONVERSATION);
    emit("conversationRemoved", { conversationId: CONVERSATION });

    expect(typed).toEqual([OTHER]);
    expect(typing.store(CONVERSATION).get()).toEqual([]);
    expect(presence.store.get().get(OTHER)?.status).toBe("online");
    expect([entry?.conversation.title, entry?.unreadCount, entry?.latestSequence]).toEqual(["new", 0, 1]);
    expect(conversations.inbox.ids()).toEqual([]);
  });

  test("of a mute on another device show it; of a conversation that is not listed the list is read again", () => {
    const { emit, onStaleList, conversations } = hub();
    const receipt = { conversationId: CONVERSATION, userId: ME, delivered: 0, read: 0, updatedAt: null };
    const item = { conversation: conversation(), lastMessage: null, unreadCount: 0, receipt };

    emit("inboxChanged", { item: { ...item, muted: true, mutedUntil: 253402300799999 } });
    const muted = conversations.inbox.get(CONVERSATION)?.muted;
    emit("inboxChanged", { item: { ...item, muted: false, mutedUntil: null } });

    expect([muted, conversations.inbox.get(CONVERSATION)?.muted]).toEqual([true, false]);
    expect(onStaleList).not.toHaveBeenCalled();

    emit("inboxChanged", { item: { ...item, conversation: conversation({ id: "g-other" }), muted: true, mutedUntil: 1 } });
    emit("messagePosted", { message: message(1, { conversationId: "g-other" }) });
    emit("conversationChanged", { conversation: conversation({ id: "g-other" }) });
    expect(onStaleList).toHaveBeenCalledTimes(3);
  });

  test("that make no sense are ignored", () => {
    const { emit, conversations } = hub();

    for (const nonsense of [null, undefined, "text", 7, []]) emit("conversationRemoved", nonsense);

    expect(conversations.inbox.ids()).toEqual([CONVERSATION]);
  });
});

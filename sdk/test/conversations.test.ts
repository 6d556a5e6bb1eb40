import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Acknowledger } from "../src/acknowledger.ts";
import { Conversations } from "../src/conversations.ts";
import { EitherWay } from "../src/either-way.ts";
import { listen } from "../src/hub-events.ts";
import { InboxLoader } from "../src/inbox-loader.ts";
import { PresenceWatch } from "../src/presence-watch.ts";
import { TypingWatch } from "../src/typing.ts";
import type { OutboxEntry } from "../src/outbox-entry.ts";
import { CONVERSATION, ME, OTHER, StoredHistory, conversation, inboxItem, message, receipt, settle } from "./samples.ts";

function setUp(history = new StoredHistory()) {
  const acknowledged: unknown[] = [];
  const seen = { unknown: 0, learnt: 0 };
  const acknowledger = new Acknowledger((id, marks) => {
    acknowledged.push({ id, ...marks });
    return Promise.resolve({ delivered: marks.delivered ?? 0, read: marks.read ?? 0 });
  });
  const conversations = new Conversations({
    userId: ME,
    api: history.api(),
    acknowledger,
    pending: () => [],
    onLearnt: (count) => (seen.learnt += count),
    onUnknown: () => (seen.unknown += 1),
  });
  return { conversations, acknowledged, seen };
}

const listed = (latestSequence: number, read = 0) => [
  inboxItem({ conversation: conversation({ latestSequence }), read }),
];

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("what arrives", () => {
  test("is acknowledged as delivered, up to the newest of a conversation that is only listed", async () => {
    const { conversations, acknowledged } = setUp();
    conversations.takeInboxPage(listed(4, 4), false);

    conversations.takeMessages([message(5)]);
    await vi.advanceTimersByTimeAsync(500);

    expect(acknowledged).toEqual([{ id: CONVERSATION, delivered: 5 }]);
  });

  test("is acknowledged only as far as an open conversation has no hole", async () => {
    const history = new StoredHistory();
    history.grow(4);
    const { conversations, acknowledged } = setUp(history);
    conversations.takeInboxPage(listed(4, 4), false);
    await conversations.open(CONVERSATION).load();

    conversations.takeMessages([message(7)]);
    await vi.advanceTimersByTimeAsync(160);
    const early = [...acknowledged];
    history.grow(3);
    await vi.advanceTimersByTimeAsync(5_000);

    expect(early).toEqual([]);
    expect(acknowledged).toEqual([{ id: CONVERSATION, delivered: 7 }]);
  });

  test("of a conversation nobody has heard of asks for the list", () => {
    const { conversations, seen } = setUp();

    conversations.takeMessages([message(1, { conversationId: "new" })]);

    expect(seen.unknown).toBe(1);
  });

  test("counts as learnt once, by whatever way it comes first", () => {
    const { conversations, seen } = setUp();
    conversations.takeInboxPage(listed(4, 4), false);

    conversations.takeMessages([message(5)]);
    conversations.takeMessages([message(5)]);

    expect(seen.learnt).toBe(1);
  });

  test("is read once for all when it has been seen", async () => {
    const { conversations, acknowledged } = setUp();
    conversations.takeInboxPage(listed(4, 2), false);

    conversations.markRead(CONVERSATION, 4);
    conversations.markRead(CONVERSATION, 3);
    await vi.advanceTimersByTimeAsync(500);

    expect(acknowledged).toEqual([{ id: CONVERSATION, delivered: 4, read: 4 }]);
    expect(conversations.inbox.get(CONVERSATION)?.unreadCount).toBe(0);
  });

  test("of a sync shows in the list without reading a page", () => {
    const { conversations } = setUp();
    conversations.takeInboxPage(listed(4, 4), true);
    const changed = inboxItem({ conversation: conversation({ latestSequence: 6, title: "New" }), read: 5 });
    const fresh = inboxItem({ conversation: conversation({ id: "fresh", createdAt: 2_000_000 }) });
    const bare = { latestSequence: 6, messages: [], complete: false, receipt: receipt(5) };

    conversations.takeSyncItem({ ...bare, conversationId: CONVERSATION, inboxItem: { ...changed, muted: true } });
    conversations.takeSyncItem({ ...bare, conversationId: "fresh", latestSequence: 0, inboxItem: fresh });

    const [first, second] = conversations.inbox.store.get().entries;
    expect(first?.conversation.id).toBe("fresh");
    expect(second).toMatchObject({ unreadCount: 1, muted: true, latestSequence: 6, conversation: { title: "New" } });
  });

  test("of a sync beyond the pages that were read leaves the list as it is", () => {
    const { conversations } = setUp();
    conversations.takeInboxPage(listed(4, 4), true);
    const old = inboxItem({ conversation: conversation({ id: "old", createdAt: 1 }) });

    conversations.takeSyncItem({
      conversationId: "old", latestSequence: 0, messages: [], complete: false, receipt: receipt(0), inboxItem: old,
    });

    expect(conversations.inbox.ids()).toEqual([CONVERSATION]);
  });

  test("needs messages only of conversations that are open", async () => {
    const history = new StoredHistory();
    history.grow(4);
    const { conversations } = setUp(history);
    conversations.takeInboxPage(listed(4, 4), false);
    const before = conversations.positions();

    await conversations.open(CONVERSATION).load();

    expect([before, conversations.positions()]).toEqual([{}, { [CONVERSATION]: 4 }]);
  });
});

describe("the list", () => {
  test("is read anew as far as it was shown, and what left it is dropped", async () => {
    const { conversations } = setUp();
    const all = Array.from({ length: 70 }, (_, index) =>
      inboxItem({ conversation: conversation({ id: `c-${index}`, createdAt: 1_000_000 - index }) }),
    );
    const pages: (string | null)[] = [];
    const listConversations = (limit: number, continuation: string | null) => {
      pages.push(continuation);
      const from = Number(continuation ?? 0);
      const items = all.slice(from, from + limit);
      return Promise.resolve({ items, continuation: from + limit < all.length ? String(from + limit) : null });
    };
    const loader = new InboxLoader({ listConversations }, conversations);
    await loader.refresh();
    await loader.loadMore();
    all.splice(40, 1);
    pages.length = 0;

    await loader.reload();

    expect(conversations.inbox.ids()).not.toContain("c-40");
    expect(conversations.inbox.ids()).toHaveLength(60);
    expect(pages).toEqual([null, null, "30"]);
  });
});

describe("the hub's events", () => {
  function hub() {
    const handlers = new Map<string, (argument: unknown) => void>();
    const typing = new TypingWatch();
    const presence = new PresenceWatch(() => Promise.resolve([]));
    const parts = setUp();
    parts.conversations.takeInboxPage(listed(0), false);
    listen(
      { on: (event, handler) => handlers.set(event, handler) },
      { userId: ME, conversations: parts.conversations, typing, presence, onStale: () => (parts.seen.unknown += 1) },
    );
    return { ...parts, typing, presence, emit: (event: string, argument: unknown) => handlers.get(event)?.(argument) };
  }

  test("lead to where they belong", () => {
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
    const { emit, seen, conversations } = hub();
    const receipt = { conversationId: CONVERSATION, userId: ME, delivered: 0, read: 0, updatedAt: null };
    const item = { conversation: conversation(), lastMessage: null, unreadCount: 0, receipt };

    emit("inboxChanged", { item: { ...item, muted: true, mutedUntil: 253402300799999 } });
    const muted = conversations.inbox.get(CONVERSATION)?.muted;
    emit("inboxChanged", { item: { ...item, muted: false, mutedUntil: null } });

    expect([muted, conversations.inbox.get(CONVERSATION)?.muted, seen.unknown]).toEqual([true, false, 0]);

    emit("inboxChanged", { item: { ...item, conversation: conversation({ id: "g-other" }), muted: true, mutedUntil: 1 } });
    expect(seen.unknown).toBe(1);
  });

  test("that make no sense are ignored", () => {
    const { emit, conversations } = hub();

    for (const nonsense of [null, undefined, "text", 7, []]) emit("conversationRemoved", nonsense);

    expect(conversations.inbox.ids()).toEqual([CONVERSATION]);
  });
});

describe("the list of conversations", () => {
  test("is read again once for all that asked meanwhile, and pages on from where it was", async () => {
    const asked: (string | null)[] = [];
    const { conversations } = setUp();
    const item = (id: string, createdAt: number) => inboxItem({ conversation: conversation({ id, createdAt }) });
    const pages: Record<string, { items: ReturnType<typeof item>[]; continuation: string | null }> = {
      first: { items: [item("a", 30)], continuation: "second" },
      second: { items: [item("b", 20)], continuation: null },
    };
    const loader = new InboxLoader(
      {
        listConversations: (_, continuation) => {
          asked.push(continuation);
          return Promise.resolve(pages[continuation ?? "first"] ?? { items: [], continuation: null });
        },
      },
      conversations,
    );

    void loader.refresh();
    void loader.refresh();
    await loader.refresh();
    await loader.loadMore();
    await loader.refresh();

    expect(asked).toEqual([null, null, "second", null]);
    expect(conversations.inbox.ids()).toEqual(["a", "b"]);
    expect(conversations.inbox.store.get().hasMore).toBe(false);
  });
});

describe("either way", () => {
  const entry: OutboxEntry = {
    clientMessageId: "m", userId: ME, conversationId: CONVERSATION, body: "hi", attachments: [], replyTo: null,
    createdAt: 1, attempts: 1, failure: null,
  };

  function setUpWays(isOnline: boolean) {
    const sent: unknown[] = [];
    const ways = new EitherWay(
      { isOnline, invoke: (method: string, argument: unknown) => {
        sent.push(["hub", method, argument]);
        return Promise.resolve({ ok: true, message: message(1) });
      } } as never,
      { postMessage: (argument: unknown) => {
        sent.push(["http", argument]);
        return Promise.resolve(message(1));
      } } as never,
    );
    return { ways, sent };
  }

  test("a message goes by the hub when there is one, and by HTTP when there is none", async () => {
    const up = setUpWays(true);
    const down = setUpWays(false);

    await up.ways.send(entry, false);
    await down.ways.send(entry, true);
    await settle();

    const body = { conversationId: CONVERSATION, clientMessageId: "m", body: "hi" };
    expect(up.sent).toEqual([["hub", "sendMessage", body]]);
    expect(down.sent).toEqual([["http", { ...body, retry: true }]]);
  });

  test("a message that fails again and again is also tried over HTTP", async () => {
    const { ways, sent } = setUpWays(true);

    for (const attempts of [1, 2, 3]) await ways.send({ ...entry, attempts }, attempts > 1);

    expect(sent.map((one) => (one as string[])[0])).toEqual(["hub", "hub", "http"]);
  });
});

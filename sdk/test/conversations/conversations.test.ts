import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Conversations } from "../../src/conversations/conversations.ts";
import { InboxLoader } from "../../src/conversations/inbox-loader.ts";
import { Acknowledger } from "../../src/receipts/acknowledger.ts";
import { CONVERSATION, ME, StoredHistory, conversation, inboxItem, message, receipt } from "../samples.ts";

function setUp(history = new StoredHistory()) {
  const acknowledged: unknown[] = [];
  const acknowledger = new Acknowledger((id, marks) => {
    acknowledged.push({ id, ...marks });
    return Promise.resolve({ delivered: marks.delivered ?? 0, read: marks.read ?? 0 });
  });
  const conversations = new Conversations({
    userId: ME,
    api: history.api(),
    acknowledger,
    outbox: { pending: () => [] },
  });
  return { conversations, acknowledged };
}

const listed = (latestSequence: number, read = 0) => [
  inboxItem({ conversation: conversation({ latestSequence }), read }),
];

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("what arrives", () => {
  test("is acknowledged as delivered, up to the newest of a conversation that is only listed", async () => {
    const { conversations, acknowledged } = setUp();
    conversations.mergeInboxPage(listed(4, 4), false);

    conversations.mergeMessages([message(5)]);
    await vi.advanceTimersByTimeAsync(500);

    expect(acknowledged).toEqual([{ id: CONVERSATION, delivered: 5 }]);
  });

  test("is acknowledged only as far as an open conversation has no hole", async () => {
    const history = new StoredHistory();
    history.grow(4);
    const { conversations, acknowledged } = setUp(history);
    conversations.mergeInboxPage(listed(4, 4), false);
    await conversations.open(CONVERSATION).load();

    conversations.mergeMessages([message(7)]);
    await vi.advanceTimersByTimeAsync(160);
    const early = [...acknowledged];
    history.grow(3);
    await vi.advanceTimersByTimeAsync(5_000);

    expect(early).toEqual([]);
    expect(acknowledged).toEqual([{ id: CONVERSATION, delivered: 7 }]);
  });

  test("of a conversation that is not listed shows that the list is out of date", () => {
    const { conversations } = setUp();
    conversations.mergeInboxPage(listed(4, 4), false);

    const isComplete = [message(5), message(1, { conversationId: "new" })].map((one) => conversations.mergeMessages([one]));

    expect(isComplete).toEqual([true, false]);
  });

  test("counts as received once, by whatever way it comes first", () => {
    const { conversations } = setUp();
    conversations.mergeInboxPage(listed(4, 4), false);

    conversations.mergeMessages([message(5)]);
    conversations.mergeMessages([message(5)]);

    expect(conversations.receivedCount).toBe(1);
  });

  test("is read once for all when it has been seen", async () => {
    const { conversations, acknowledged } = setUp();
    conversations.mergeInboxPage(listed(4, 2), false);

    conversations.markRead(CONVERSATION, 4);
    conversations.markRead(CONVERSATION, 3);
    await vi.advanceTimersByTimeAsync(500);

    expect(acknowledged).toEqual([{ id: CONVERSATION, delivered: 4, read: 4 }]);
    expect(conversations.inbox.get(CONVERSATION)?.unreadCount).toBe(0);
  });

  test("of a sync shows in the list without reading a page", () => {
    const { conversations } = setUp();
    conversations.mergeInboxPage(listed(4, 4), true);
    const changed = inboxItem({ conversation: conversation({ latestSequence: 6, title: "New" }), read: 5 });
    const fresh = inboxItem({ conversation: conversation({ id: "fresh", createdAt: 2_000_000 }) });
    const bare = { latestSequence: 6, messages: [], complete: false, receipt: receipt(5) };

    conversations.mergeSyncItem({ ...bare, conversationId: CONVERSATION, inboxItem: { ...changed, muted: true } });
    conversations.mergeSyncItem({ ...bare, conversationId: "fresh", latestSequence: 0, inboxItem: fresh });

    const [first, second] = conversations.inbox.store.get().entries;
    expect(first?.conversation.id).toBe("fresh");
    expect(second).toMatchObject({ unreadCount: 1, muted: true, latestSequence: 6, conversation: { title: "New" } });
  });

  test("of a sync beyond the pages that were read leaves the list as it is", () => {
    const { conversations } = setUp();
    conversations.mergeInboxPage(listed(4, 4), true);
    const old = inboxItem({ conversation: conversation({ id: "old", createdAt: 1 }) });

    conversations.mergeSyncItem({
      conversationId: "old", latestSequence: 0, messages: [], complete: false, receipt: receipt(0), inboxItem: old,
    });

    expect(conversations.inbox.ids()).toEqual([CONVERSATION]);
  });

  test("needs messages only of conversations that are open", async () => {
    const history = new StoredHistory();
    history.grow(4);
    const { conversations } = setUp(history);
    conversations.mergeInboxPage(listed(4, 4), false);
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

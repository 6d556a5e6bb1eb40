import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ChatError } from "../../src/common/errors.ts";
import { OpenConversation } from "../../src/messages/open-conversation.ts";
import type { OutboxEntry } from "../../src/messages/outbox-entry.ts";
import type { Message } from "../../src/types.ts";
import { CONVERSATION, ME, OTHER, StoredHistory, conversation, message, settle } from "../samples.ts";

function opened(history: StoredHistory, pending: OutboxEntry[] = []) {
  return new OpenConversation(CONVERSATION, {
    userId: ME,
    api: history.api(),
    pending: () => pending,
    members: () => conversation().members,
    onMessages: () => undefined,
    onDetails: () => undefined,
  });
}

function shown(open: OpenConversation): number[] {
  return open.store.get().items.flatMap((item) => (item.kind === "stored" ? [item.message.sequence] : []));
}

function entry(id: string): OutboxEntry {
  return {
    clientMessageId: id, userId: ME, conversationId: CONVERSATION, body: "hi", attachments: [], replyTo: null,
    createdAt: 1, attempts: 0, failure: null,
  };
}

const range = (first: number, last: number) =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("an open conversation", () => {
  test("loads the newest page and pages back to the beginning", async () => {
    const history = new StoredHistory();
    history.grow(120);
    const open = opened(history);

    await open.load();
    const first = shown(open);
    await open.loadOlder();
    await open.loadOlder();

    expect(first).toEqual(range(71, 120));
    expect(shown(open)).toEqual(range(1, 120));
    expect(open.store.get().hasOlder).toBe(false);
  });

  test("fills a hole before it shows what lies beyond", async () => {
    const history = new StoredHistory();
    history.grow(10);
    const open = opened(history);
    await open.load();

    const [, , third] = history.grow(3);
    open.mergeMessages([third as Message]);
    const before = shown(open);
    await settle();

    expect(before).toEqual(range(1, 10));
    expect(shown(open)).toEqual(range(1, 13));
  });

  test("shows the newest first after a very long absence, and pages back through the rest", async () => {
    const history = new StoredHistory();
    history.grow(20);
    const open = opened(history);
    await open.load();

    history.grow(1000);
    open.mergeMessages(history.sync(20, 20).messages, 1020);
    await settle();
    const newest = shown(open);
    while (open.store.get().hasOlder) await open.loadOlder();

    expect(newest).toEqual(range(921, 1020));
    expect(shown(open)).toEqual(range(1, 1020));
  });

  test("asks again when history lags behind the head it knows", async () => {
    const history = new StoredHistory();
    history.grow(5);
    const open = opened(history);
    await open.load();

    open.mergeMessages([], 6);
    await settle();
    history.grow(1);
    await vi.advanceTimersByTimeAsync(2_000);

    expect(shown(open)).toEqual(range(1, 6));
  });

  test("puts its own unsent messages last and replaces each in place", async () => {
    const history = new StoredHistory();
    history.grow(2);
    const pending = [entry("mine")];
    const open = opened(history, pending);
    await open.load();
    const before = open.store.get().items.map((item) => [item.kind, item.key]);

    open.mergeMessages([message(3, { senderId: ME, clientMessageId: "mine" })]);

    const after = open.store.get().items.map((item) => [item.kind, item.key]);
    expect(before.at(-1)).toEqual(["pending", "ann/mine"]);
    expect(after).toHaveLength(3);
    expect(after.at(-1)).toEqual(["stored", "ann/mine"]);
  });

  test("shows what its own message's receivers have done", async () => {
    const history = new StoredHistory();
    const open = opened(history);
    await open.load();
    open.mergeMessages([message(1, { senderId: ME })]);
    const status = () => {
      const item = open.store.get().items[0];
      return item?.kind === "stored" ? item.status : null;
    };
    const seen = [status()];

    open.mergeReceipts([{ conversationId: CONVERSATION, userId: OTHER, delivered: 1, read: 0, updatedAt: 1 }]);
    seen.push(status());
    open.mergeMessages([message(2, { senderId: OTHER })]);
    seen.push(status());

    expect(seen).toEqual(["sent", "delivered", "read"]);
  });

  test("says why it could not load, and loads when woken", async () => {
    const history = new StoredHistory();
    history.grow(1);
    let fails = true;
    const api = history.api();
    const works = api.history;
    api.history = (id, range_) =>
      fails ? Promise.reject(new ChatError("network", "down")) : works(id, range_);
    const open = new OpenConversation(CONVERSATION, {
      userId: ME, api, pending: () => [], members: () => [], onMessages: () => undefined, onDetails: () => undefined,
    });
    await open.load();
    const error = open.store.get().error?.code;

    fails = false;
    open.retryNow();
    await settle();

    expect(error).toBe("network");
    expect(shown(open)).toEqual([1]);
  });
});

/** What may happen to one message on its way: pushed so many times; 0 is lost. */
const pushes = fc.array(fc.record({ copies: fc.integer({ min: 0, max: 2 }), at: fc.double({ noNaN: true }) }), {
  minLength: 0,
  maxLength: 60,
});

describe("whatever happens to pushes", () => {
  test("after one sync the timeline is the stored history", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 130 }), pushes, fc.integer({ min: 1, max: 25 }), async (old, fate, limit) => {
        const history = new StoredHistory();
        history.grow(old);
        const open = opened(history);
        await open.load();

        const fresh = history.grow(fate.length);
        const arrivals = fate
          .flatMap(({ copies, at }, index) => Array.from({ length: copies }, (_, copy) => ({ index, at: at + copy })))
          .sort((a, b) => a.at - b.at);
        for (const { index } of arrivals) open.mergeMessages([fresh[index] as Message]);
        const item = history.sync(open.last, limit);
        open.mergeMessages(item.messages, item.latestSequence);
        await vi.runAllTimersAsync();
        while (open.store.get().hasOlder) await open.loadOlder();

        expect(shown(open)).toEqual(range(1, history.stored.length));
      }),
      { numRuns: 150 },
    );
  });

  test("nothing is ever shown out of order or beside a hole", async () => {
    await fc.assert(
      fc.asyncProperty(pushes, async (fate) => {
        const history = new StoredHistory();
        history.grow(3);
        const open = opened(history);
        await open.load();
        const fresh = history.grow(fate.length);

        const order = fate.map(({ at }, index) => ({ at, index })).sort((a, b) => a.at - b.at);
        for (const { index } of order) {
          if (fate[index]?.copies) open.mergeMessages([fresh[index] as Message]);
          const now = shown(open);
          expect(now).toEqual(range(1, now.length));
        }
        await vi.runAllTimersAsync();
      }),
      { numRuns: 100 },
    );
  });
});

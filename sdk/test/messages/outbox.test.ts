import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ChatError } from "../../src/common/errors.ts";
import type { OutboxEntry, OutboxStorage } from "../../src/messages/outbox-entry.ts";
import { IndexedDbOutboxStorage, MemoryOutboxStorage } from "../../src/messages/outbox-storage.ts";
import { Outbox } from "../../src/messages/outbox.ts";
import { SingleTab, type Tabs } from "../../src/messages/tabs.ts";
import type { Message } from "../../src/types.ts";
import { ME, message, settle } from "../samples.ts";

interface Attempt {
  body: string;
  id: string;
  retry: boolean;
}

type Answer = (attempt: Attempt) => Promise<Message>;

function setUp(answer: Answer, storage: OutboxStorage = new MemoryOutboxStorage(), tabs: Tabs = new SingleTab()) {
  const attempts: Attempt[] = [];
  const stored: string[] = [];
  const state = { canDeliver: true };
  const outbox = new Outbox({
    userId: ME,
    storage,
    tabs,
    deliver: (entry, retry) => {
      const attempt = { body: entry.body, id: entry.clientMessageId, retry };
      attempts.push(attempt);
      return answer(attempt);
    },
    canDeliver: () => state.canDeliver,
  });
  outbox.onStored((message) => stored.push(message.clientMessageId));
  return { outbox, storage, attempts, stored, state };
}

let sequence = 0;
const accept: Answer = (attempt) =>
  Promise.resolve(message(++sequence, { senderId: ME, clientMessageId: attempt.id, body: attempt.body }));
const bodies = (attempts: Attempt[]) => attempts.map((attempt) => attempt.body);

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] }));
afterEach(() => vi.useRealTimers());

describe("the outbox", () => {
  test("sends a message once and forgets it", async () => {
    const { outbox, storage, attempts, stored } = setUp(accept);
    await outbox.start();

    const entry = await outbox.add("c", { body: "hello" });
    await settle();

    expect(attempts).toEqual([{ body: "hello", id: entry.clientMessageId, retry: false }]);
    expect(stored).toEqual([entry.clientMessageId]);
    expect(await storage.list(ME)).toEqual([]);
  });

  test("has stored the attempt before it is made", async () => {
    const storage = new MemoryOutboxStorage();
    let atAttempt: OutboxEntry[] = [];
    const { outbox } = setUp(async (attempt) => {
      atAttempt = await storage.list(ME);
      return accept(attempt);
    }, storage);
    await outbox.start();

    await outbox.add("c", { body: "hello" });
    await settle();

    expect(atAttempt.map((entry) => entry.attempts)).toEqual([1]);
  });

  test("keeps the order of a conversation while the first is not through", async () => {
    let failures = 2;
    const { outbox, attempts } = setUp((attempt) =>
      attempt.body === "1" && failures-- > 0 ? Promise.reject(new ChatError("network", "cut")) : accept(attempt),
    );
    await outbox.start();

    await outbox.add("c", { body: "1" });
    await outbox.add("c", { body: "2" });
    await vi.advanceTimersByTimeAsync(60_000);

    expect(bodies(attempts)).toEqual(["1", "1", "1", "2"]);
  });

  test("sends retry from the second attempt on, under the same id", async () => {
    let failures = 1;
    const { outbox, attempts } = setUp((attempt) =>
      failures-- > 0 ? Promise.reject(new ChatError("timeout", "no answer")) : accept(attempt),
    );
    await outbox.start();

    await outbox.add("c", { body: "1" });
    await vi.advanceTimersByTimeAsync(60_000);

    expect(attempts.map((attempt) => attempt.retry)).toEqual([false, true]);
    expect(new Set(attempts.map((attempt) => attempt.id)).size).toBe(1);
  });

  test("does not let a slow conversation hold up another", async () => {
    const { outbox, attempts } = setUp((attempt) =>
      attempt.body === "stuck" ? new Promise(() => undefined) : accept(attempt),
    );
    await outbox.start();

    await outbox.add("c-1", { body: "stuck" });
    await outbox.add("c-2", { body: "free" });
    await settle();

    expect(bodies(attempts)).toEqual(["stuck", "free"]);
  });

  test("marks a refused message and goes on with the next", async () => {
    const { outbox, attempts } = setUp((attempt) =>
      attempt.body === "bad" ? Promise.reject(new ChatError("blocked", "they block you")) : accept(attempt),
    );
    await outbox.start();

    await outbox.add("c", { body: "bad" });
    await outbox.add("c", { body: "good" });
    await settle();

    expect(bodies(attempts)).toEqual(["bad", "good"]);
    expect(outbox.store.get().entries.map((entry) => entry.failure?.code)).toEqual(["blocked"]);
  });

  test("tries a refused message again only when asked, as a retry", async () => {
    let refused = true;
    const { outbox, attempts, stored } = setUp((attempt) =>
      refused ? Promise.reject(new ChatError("blocked", "no")) : accept(attempt),
    );
    await outbox.start();
    const entry = await outbox.add("c", { body: "x" });
    await settle();

    refused = false;
    await outbox.retry(entry.clientMessageId);
    await settle();

    expect(attempts.map((attempt) => attempt.retry)).toEqual([false, true]);
    expect(stored).toEqual([entry.clientMessageId]);
  });

  test("forgets a refused message that is discarded", async () => {
    const { outbox, storage } = setUp(() => Promise.reject(new ChatError("invalid", "body")));
    await outbox.start();
    const entry = await outbox.add("c", { body: "x" });
    await settle();

    await outbox.discard(entry.clientMessageId);

    expect(outbox.store.get().entries).toEqual([]);
    expect(await storage.list(ME)).toEqual([]);
  });

  test("waits as long as the service asks, says so, and is not hurried by retryNow", async () => {
    let limited = true;
    const { outbox, attempts } = setUp((attempt) =>
      limited ? Promise.reject(new ChatError("rate_limited", "slow", { retryAfterMs: 5_000 })) : accept(attempt),
    );
    await outbox.start();
    await outbox.add("c", { body: "1" });
    await settle();
    const waiting = outbox.store.get().waiting?.code;

    limited = false;
    outbox.retryNow();
    await vi.advanceTimersByTimeAsync(4_900);
    const early = attempts.length;
    await vi.advanceTimersByTimeAsync(200);

    expect([waiting, early, attempts.length]).toEqual(["rate_limited", 1, 2]);
    expect(outbox.store.get().waiting).toBeNull();
  });

  test("makes no attempt while it cannot deliver, and one as soon as it can", async () => {
    const { outbox, attempts, state } = setUp(accept);
    state.canDeliver = false;
    await outbox.start();
    await outbox.add("c", { body: "1" });
    await vi.advanceTimersByTimeAsync(120_000);
    const offline = attempts.length;

    state.canDeliver = true;
    outbox.retryNow();
    await settle();

    expect(offline).toBe(0);
    expect(attempts.map((attempt) => attempt.retry)).toEqual([false]);
  });

  test("sends after a reload what was left, in order, as retries where an attempt had begun", async () => {
    const storage = new IndexedDbOutboxStorage(indexedDB, "reload");
    const before = setUp(() => new Promise(() => undefined), storage);
    await before.outbox.start();
    await before.outbox.add("c", { body: "1" });
    await before.outbox.add("c", { body: "2" });
    await vi.waitUntil(() => before.attempts.length > 0);
    before.outbox.stop();

    const after = setUp(accept, storage);
    await after.outbox.start();
    await vi.waitUntil(() => after.stored.length === 2);

    expect(after.attempts.map(({ body, retry }) => [body, retry])).toEqual([["1", true], ["2", false]]);
    await vi.waitUntil(async () => (await storage.list(ME)).length === 0);
  });

  test("still sends when it cannot store", async () => {
    const broken: OutboxStorage = {
      list: () => Promise.reject(new Error("denied")),
      put: () => Promise.reject(new Error("full")),
      delete: () => Promise.reject(new Error("denied")),
    };
    const { outbox, stored } = setUp(accept, broken);
    await outbox.start();

    await outbox.add("c", { body: "1" });
    await settle();

    expect(stored).toHaveLength(1);
  });
});

/** Tabs of one browser: the first that asks leads until it closes. */
class SharedTabs {
  readonly #tabs: { tab: Tabs; listener: (message: unknown) => void; lead: (() => void) | null }[] = [];

  open(): Tabs {
    const state: { listener: (message: unknown) => void; lead: (() => void) | null } = { listener: () => {}, lead: null };
    const all = this.#tabs;
    const tab: Tabs = {
      onLeader: (lead) => {
        state.lead = lead;
        if (all.find((other) => other.lead)?.tab === tab) lead();
      },
      post: (posted) => {
        for (const other of all) if (other.tab !== tab) other.listener(structuredClone(posted));
      },
      onMessage: (listener) => {
        state.listener = listener;
      },
      close: () => {
        all.splice(all.findIndex((other) => other.tab === tab), 1);
        all.find((other) => other.lead)?.lead?.();
      },
    };
    all.push({ tab, get listener() { return state.listener; }, get lead() { return state.lead; } });
    return tab;
  }
}

describe("several tabs of one user", () => {
  test("send a message once, whichever tab it was written in, and all learn of it", async () => {
    const tabs = new SharedTabs();
    const storage = new MemoryOutboxStorage();
    const leader = setUp(accept, storage, tabs.open());
    const follower = setUp(accept, storage, tabs.open());
    await leader.outbox.start();
    await follower.outbox.start();

    const entry = await follower.outbox.add("c", { body: "from the second tab" });
    await settle();

    expect([leader.attempts.length, follower.attempts.length]).toEqual([1, 0]);
    expect(follower.stored).toEqual([entry.clientMessageId]);
    expect(follower.outbox.store.get().entries).toEqual([]);
  });

  test("go on sending when the leading tab is closed in the middle", async () => {
    const tabs = new SharedTabs();
    const storage = new MemoryOutboxStorage();
    const first = setUp(() => new Promise(() => undefined), storage, tabs.open());
    const second = setUp(accept, storage, tabs.open());
    await first.outbox.start();
    await second.outbox.start();
    await first.outbox.add("c", { body: "unfinished" });
    await settle();

    first.outbox.stop();
    await settle();

    expect(second.attempts.map(({ body, retry }) => [body, retry])).toEqual([["unfinished", true]]);
  });
});

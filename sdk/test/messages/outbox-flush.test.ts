import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ChatError } from "../../src/common/errors.ts";
import type { OutboxEntry, OutboxStorage } from "../../src/messages/outbox-entry.ts";
import { MemoryOutboxStorage } from "../../src/messages/outbox-storage.ts";
import { Outbox } from "../../src/messages/outbox.ts";
import { SingleTab } from "../../src/messages/tabs.ts";
import type { Message } from "../../src/types.ts";
import { ME, message, settle } from "../samples.ts";

const accept = (entry: OutboxEntry): Promise<Message> =>
  Promise.resolve(message(1, { senderId: ME, clientMessageId: entry.clientMessageId }));

function setUp(deliver: (entry: OutboxEntry) => Promise<Message>, storage: OutboxStorage = new MemoryOutboxStorage()) {
  const outbox = new Outbox({
    userId: ME,
    storage,
    tabs: new SingleTab(),
    deliver,
    canDeliver: () => true,
  });
  return { outbox };
}

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] }));
afterEach(() => vi.useRealTimers());

describe("flushing", () => {
  test("ends when everything is stored, and leaves nothing", async () => {
    let failures = 3;
    const { outbox } = setUp((entry) => (failures-- > 0 ? Promise.reject(new ChatError("unavailable", "down")) : accept(entry)));
    await outbox.start();
    await outbox.add("c", { body: "1" });
    await outbox.add("d", { body: "2" });

    const flushed = outbox.flush(60_000);
    await vi.advanceTimersByTimeAsync(59_000);

    expect(await flushed).toEqual([]);
  });

  test("ends with its time, and says what is unsent", async () => {
    const { outbox } = setUp(() => Promise.reject(new ChatError("unavailable", "down")));
    await outbox.start();
    await outbox.add("c", { body: "lost?" });

    const flushed = outbox.flush(5_000);
    await vi.advanceTimersByTimeAsync(5_000);

    expect((await flushed).map((entry) => entry.body)).toEqual(["lost?"]);
  });

  test("does not wait for what was refused, and says it too", async () => {
    const { outbox } = setUp(() => Promise.reject(new ChatError("blocked", "no")));
    await outbox.start();
    await outbox.add("c", { body: "refused" });
    await settle();

    expect((await outbox.flush(5_000)).map((entry) => entry.failure?.code)).toEqual(["blocked"]);
  });

  test("knows which storage outlives the process", () => {
    const durable = { list: () => Promise.resolve([]), put: () => Promise.resolve(), delete: () => Promise.resolve() };

    expect([setUp(accept).outbox.isDurable, setUp(accept, durable).outbox.isDurable]).toEqual([false, true]);
  });
});

test("an entry knows what stood above it when it was written", async () => {
  const { outbox } = setUp(() => Promise.reject(new ChatError("blocked", "no")));

  const written = await outbox.add("c", { body: "late" }, 41);
  const unknown = await outbox.add("c", { body: "nothing known" });

  expect([written.after, unknown.after]).toEqual([41, undefined]);
});

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ChatError } from "../../src/common/errors.ts";
import { Acknowledger } from "../../src/receipts/acknowledger.ts";

interface Sent {
  id: string;
  delivered?: number;
  read?: number;
}

function setUp(answer: (sent: Sent) => Promise<void> = () => Promise.resolve()) {
  const sent: Sent[] = [];
  const acknowledger = new Acknowledger(async (id, marks) => {
    sent.push({ id, ...marks });
    await answer({ id, ...marks });
    return { delivered: marks.delivered ?? 0, read: marks.read ?? 0 };
  });
  return { acknowledger, sent };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("the acknowledger", () => {
  test("makes one call of many marks in a moment", async () => {
    const { acknowledger, sent } = setUp();

    for (let sequence = 1; sequence <= 20; sequence += 1) acknowledger.raise("c", { delivered: sequence });
    acknowledger.raise("c", { read: 18 });
    await vi.advanceTimersByTimeAsync(1_000);

    expect(sent).toEqual([{ id: "c", delivered: 20, read: 18 }]);
  });

  test("never goes back", async () => {
    const { acknowledger, sent } = setUp();
    acknowledger.raise("c", { read: 9 });
    await vi.advanceTimersByTimeAsync(1_000);

    acknowledger.raise("c", { delivered: 4, read: 3 });
    await vi.advanceTimersByTimeAsync(1_000);

    expect(sent).toHaveLength(1);
  });

  test("does not send what the service has already", async () => {
    const { acknowledger, sent } = setUp();

    acknowledger.mergeAcknowledged("c", { delivered: 5, read: 5 });
    acknowledger.raise("c", { delivered: 5 });
    await vi.advanceTimersByTimeAsync(1_000);

    expect(sent).toEqual([]);
  });

  test("sends again what the service has lost", async () => {
    const { acknowledger, sent } = setUp();
    acknowledger.raise("c", { read: 9 });
    await vi.advanceTimersByTimeAsync(1_000);

    acknowledger.setAcknowledged("c", { delivered: 2, read: 2 });
    await vi.advanceTimersByTimeAsync(1_000);

    expect(sent.map((call) => call.read)).toEqual([9, 9]);
  });

  test("waits as asked after a failure that may pass, then sends the newest", async () => {
    let fails = true;
    const { acknowledger, sent } = setUp(() =>
      fails ? Promise.reject(new ChatError("rate_limited", "slow", { retryAfterMs: 3_000 })) : Promise.resolve(),
    );
    acknowledger.raise("c", { delivered: 1 });
    await vi.advanceTimersByTimeAsync(1_000);

    fails = false;
    acknowledger.raise("c", { delivered: 2 });
    await vi.advanceTimersByTimeAsync(10_000);

    expect(sent).toEqual([{ id: "c", delivered: 1 }, { id: "c", delivered: 2 }]);
  });

  test("does not insist on what is refused for good", async () => {
    const { acknowledger, sent } = setUp(() => Promise.reject(new ChatError("not_found", "gone")));

    acknowledger.raise("c", { delivered: 1 });
    await vi.advanceTimersByTimeAsync(60_000);

    expect(sent).toHaveLength(1);
  });

  test("sends nothing more once stopped, not even what failed as it stopped", async () => {
    const { acknowledger, sent } = setUp(() => Promise.reject(new ChatError("unavailable", "the hub closed")));
    acknowledger.raise("c", { delivered: 1 });
    await vi.advanceTimersByTimeAsync(160);

    acknowledger.stop();
    acknowledger.raise("c", { delivered: 2 });
    await vi.advanceTimersByTimeAsync(60_000);

    expect(sent).toEqual([{ id: "c", delivered: 1 }]);
  });

  test("keeps at most four calls in the air", async () => {
    let inAir = 0;
    let most = 0;
    const { acknowledger, sent } = setUp(async () => {
      most = Math.max(most, ++inAir);
      await new Promise((resolve) => setTimeout(resolve, 50));
      inAir -= 1;
    });

    for (let index = 0; index < 30; index += 1) acknowledger.raise(`c-${index}`, { delivered: 1 });
    await vi.advanceTimersByTimeAsync(5_000);

    expect([sent.length, most]).toEqual([30, 4]);
  });
});

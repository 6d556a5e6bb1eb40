import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ChatError } from "../src/errors.ts";
import { Synchronizer } from "../src/synchronizer.ts";
import type { SyncItem } from "../src/types.ts";
import { receipt, settle } from "./samples.ts";

interface Answer {
  items: SyncItem[];
  more: boolean;
}

function item(conversationId: string, latestSequence: number): SyncItem {
  return { conversationId, latestSequence, messages: [], complete: true, receipt: receipt(0) };
}

function setUp(answers: (Answer | Error)[], wanted: (item: SyncItem) => boolean = () => true) {
  const asked: Record<string, number>[] = [];
  const taken: string[] = [];
  let passes = 0;
  const sync = (positions: Record<string, number>): Promise<Answer> => {
    asked.push({ ...positions });
    const answer = answers.shift() ?? { items: [], more: false };
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  const synchronizer = new Synchronizer(
    { sync },
    {
      positions: () => ({ a: 1 }),
      take: (one) => {
        taken.push(one.conversationId);
        return wanted(one);
      },
      done: () => {
        passes += 1;
      },
    },
  );
  return { synchronizer, asked, taken, passes: () => passes };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("the synchronizer", () => {
  test("asks on from the new positions while there is more", async () => {
    const { synchronizer, asked, taken } = setUp([
      { items: [item("a", 5)], more: true },
      { items: [item("b", 2)], more: false },
    ]);

    await synchronizer.request();

    expect(asked).toEqual([{ a: 1 }, { a: 5 }]);
    expect(taken).toEqual(["a", "b"]);
  });

  test("stops where what is older is not shown", async () => {
    const { synchronizer, asked } = setUp([{ items: [item("a", 5), item("old", 9)], more: true }], ({ conversationId }) =>
      conversationId === "a",
    );

    await synchronizer.request();

    expect(asked).toHaveLength(1);
  });

  test("serves requests made during a pass by one pass after it", async () => {
    const { synchronizer, passes } = setUp([]);

    const first = synchronizer.request();
    void synchronizer.request();
    void synchronizer.request();
    await first;

    expect(passes()).toBe(2);
  });

  test("tries again after a failure that may pass", async () => {
    const { synchronizer, asked, passes } = setUp([new ChatError("unavailable", "busy", { retryAfterMs: 700 })]);

    const done = synchronizer.request();
    await settle();
    const before = asked.length;
    await vi.advanceTimersByTimeAsync(800);
    await done;

    expect([before, asked.length, passes()]).toEqual([1, 2, 1]);
  });
});

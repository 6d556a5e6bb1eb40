import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ChatError } from "../src/errors.ts";
import { Synchronizer } from "../src/synchronizer.ts";
import type { SyncItem, SyncPage } from "../src/types.ts";
import { receipt, settle } from "./samples.ts";

type Answer = Partial<SyncPage> | Error;

function item(conversationId: string): SyncItem {
  return { conversationId, latestSequence: 5, messages: [], complete: true, receipt: receipt(0) };
}

/** The first answer is the one to `now`; a cursor that a test does not name is `c<number of the call>`. */
function setUp(answers: Answer[], reload: () => Promise<void> = () => Promise.resolve()) {
  const asked: unknown[] = [];
  const told: unknown[] = [];
  const sync = (positions: Record<string, number>, _limit?: number, since?: string): Promise<SyncPage> => {
    asked.push([since, positions]);
    const answer = answers.shift() ?? {};
    const whole = { items: [], more: false, cursor: `c${asked.length}` };
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve({ ...whole, ...answer });
  };
  const synchronizer = new Synchronizer(
    { sync },
    {
      positions: () => ({ a: 1 }),
      take: ({ conversationId }) => told.push(conversationId),
      remove: (id) => told.push(`-${id}`),
      reload: () => {
        told.push("reload");
        return reload();
      },
      done: (changed) => {
        told.push(changed === "everything" ? changed : [...changed]);
      },
    },
  );
  return { synchronizer, asked, told };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("the synchronizer", () => {
  test("asks for a cursor, then reads the list, and from then on for what changed", async () => {
    const { synchronizer, asked, told } = setUp([{}, { items: [item("a")], removed: ["b"] }]);

    await synchronizer.request();
    await synchronizer.request();
    await synchronizer.request();

    expect(asked).toEqual([["now", {}], ["c1", { a: 1 }], ["c2", { a: 1 }]]);
    expect(told).toEqual(["reload", "everything", "a", "-b", ["a"], []]);
  });

  test("asks on from the new cursor while there is more", async () => {
    const { synchronizer, asked, told } = setUp([{}, { items: [item("a")], more: true }, { items: [item("b")] }]);

    await synchronizer.request();
    await synchronizer.request();

    expect(asked.slice(1)).toEqual([["c1", { a: 1 }], ["c2", { a: 1 }]]);
    expect(told.slice(2)).toEqual(["a", "b", ["a", "b"]]);
  });

  test("begins anew where the cursor is not honoured", async () => {
    const { synchronizer, asked, told } = setUp([{}, { reset: true, items: [item("a")], more: true }]);

    await synchronizer.request();
    await synchronizer.request();
    await synchronizer.request();

    expect(asked.map((call) => (call as unknown[])[0])).toEqual(["now", "c1", "now", "c3"]);
    expect(told).toEqual(["reload", "everything", "reload", "everything", []]);
  });

  test("keeps no cursor of a list that could not be read", async () => {
    const failures = [new ChatError("unavailable", "busy", { retryAfterMs: 10 })];
    const { synchronizer, asked } = setUp([], () => {
      const failure = failures.shift();
      return failure ? Promise.reject(failure) : Promise.resolve();
    });

    const done = synchronizer.request();
    await vi.advanceTimersByTimeAsync(1_000);
    await done;

    expect(asked).toEqual([["now", {}], ["now", {}]]);
  });

  test("serves requests made during a pass by one pass after it", async () => {
    const { synchronizer, asked } = setUp([]);

    const first = synchronizer.request();
    void synchronizer.request();
    void synchronizer.request();
    await first;

    expect(asked).toHaveLength(2);
  });

  test("tries again after a failure that may pass, from where it was", async () => {
    const { synchronizer, asked, told } = setUp([{}, new ChatError("unavailable", "busy", { retryAfterMs: 700 })]);
    await synchronizer.request();

    const done = synchronizer.request();
    await settle();
    const before = asked.length;
    await vi.advanceTimersByTimeAsync(800);
    await done;

    expect([before, asked.length]).toEqual([2, 3]);
    expect(asked[2]).toEqual(["c1", { a: 1 }]);
    expect(told.at(-1)).toEqual([]);
  });
});

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ChatError } from "../../src/common/errors.ts";
import { Synchronizer } from "../../src/conversations/synchronizer.ts";
import type { SyncItem, SyncPage } from "../../src/types.ts";
import { receipt, settle } from "../samples.ts";

type Answer = Partial<SyncPage> | Error;

function item(conversationId: string): SyncItem {
  return { conversationId, latestSequence: 5, messages: [], complete: true, receipt: receipt(0) };
}

/** The first answer is the one to `now`; a cursor that a test does not name is `c<number of the call>`. */
function setUp(answers: Answer[], reload: () => Promise<void> = () => Promise.resolve()) {
  const requests: unknown[] = [];
  const changes: unknown[] = [];
  const sync = (positions: Record<string, number>, _limit?: number, since?: string): Promise<SyncPage> => {
    requests.push([since, positions]);
    const answer = answers.shift() ?? {};
    const whole = { items: [], more: false, cursor: `c${requests.length}` };
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve({ ...whole, ...answer });
  };
  const target = {
    positions: () => ({ a: 1 }),
    mergeSyncItem: ({ conversationId }: SyncItem) => void changes.push(conversationId),
    remove: (id: string) => void changes.push(`-${id}`),
    afterSync: (changed: ReadonlySet<string> | null) => void changes.push(changed && [...changed]),
  };
  const list = {
    reload: () => {
      changes.push("reload");
      return reload();
    },
  };
  return { synchronizer: new Synchronizer({ sync }, target, list), requests, changes };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("the synchronizer", () => {
  test("asks for a cursor, then reads the list, and from then on for what changed", async () => {
    const { synchronizer, requests, changes } = setUp([{}, { items: [item("a")], removed: ["b"] }]);

    await synchronizer.request();
    await synchronizer.request();
    await synchronizer.request();

    expect(requests).toEqual([["now", {}], ["c1", { a: 1 }], ["c2", { a: 1 }]]);
    expect(changes).toEqual(["reload", null, "a", "-b", ["a"], []]);
  });

  test("asks on from the new cursor while there is more", async () => {
    const { synchronizer, requests, changes } = setUp([{}, { items: [item("a")], more: true }, { items: [item("b")] }]);

    await synchronizer.request();
    await synchronizer.request();

    expect(requests.slice(1)).toEqual([["c1", { a: 1 }], ["c2", { a: 1 }]]);
    expect(changes.slice(2)).toEqual(["a", "b", ["a", "b"]]);
  });

  test("begins anew where the cursor is not honoured", async () => {
    const { synchronizer, requests, changes } = setUp([{}, { reset: true, items: [item("a")], more: true }]);

    await synchronizer.request();
    await synchronizer.request();
    await synchronizer.request();

    expect(requests.map((call) => (call as unknown[])[0])).toEqual(["now", "c1", "now", "c3"]);
    expect(changes).toEqual(["reload", null, "reload", null, []]);
  });

  test("keeps no cursor of a list that could not be read", async () => {
    const failures = [new ChatError("unavailable", "busy", { retryAfterMs: 10 })];
    const { synchronizer, requests } = setUp([], () => {
      const failure = failures.shift();
      return failure ? Promise.reject(failure) : Promise.resolve();
    });

    const done = synchronizer.request();
    await vi.advanceTimersByTimeAsync(1_000);
    await done;

    expect(requests).toEqual([["now", {}], ["now", {}]]);
  });

  test("serves requests made during a pass by one pass after it", async () => {
    const { synchronizer, requests } = setUp([]);

    const first = synchronizer.request();
    void synchronizer.request();
    void synchronizer.request();
    await first;

    expect(requests).toHaveLength(2);
  });

  test("tries again after a transient failure, from where it was", async () => {
    const { synchronizer, requests, changes } = setUp([{}, new ChatError("unavailable", "busy", { retryAfterMs: 700 })]);
    await synchronizer.request();

    const done = synchronizer.request();
    await settle();
    const before = requests.length;
    await vi.advanceTimersByTimeAsync(800);
    await done;

    expect([before, requests.length]).toEqual([2, 3]);
    expect(requests[2]).toEqual(["c1", { a: 1 }]);
    expect(changes.at(-1)).toEqual([]);
  });
});

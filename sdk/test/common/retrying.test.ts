import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CoalescedTask } from "../../src/common/coalesced-task.ts";
import { ChatError } from "../../src/common/errors.ts";
import { Pause, retrying } from "../../src/common/retrying.ts";
import { settle } from "../samples.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** Fails with each of these in turn, then succeeds. */
function failing(...failures: ChatError[]) {
  return vi.fn(() => {
    const failure = failures.shift();
    return failure ? Promise.reject(failure) : Promise.resolve("done");
  });
}

const down = () => new ChatError("unavailable", "down");

describe("retrying", () => {
  test("waits as long as the service asks, else grows, and returns the result", async () => {
    const attempt = failing(new ChatError("rate_limited", "slow", { retryAfterMs: 3_000 }), down());

    const result = retrying(attempt, { pause: new Pause() });
    await vi.advanceTimersByTimeAsync(2_999);
    const early = attempt.mock.calls.length;
    await vi.advanceTimersByTimeAsync(1_001);

    expect([early, attempt.mock.calls.length, await result]).toEqual([1, 3, "done"]);
  });

  test("throws a refusal at once, and the last failure when the attempts are used up", async () => {
    const refused = failing(new ChatError("blocked", "no"));
    const unlucky = failing(down(), down(), down());

    const results = [retrying(refused, { pause: new Pause() }), retrying(unlucky, { pause: new Pause(), attempts: 2 })];
    const codes = Promise.all(results.map((result) => result.catch((error: unknown) => (error as ChatError).code)));
    await vi.advanceTimersByTimeAsync(60_000);

    expect(await codes).toEqual(["blocked", "unavailable"]);
    expect([refused.mock.calls.length, unlucky.mock.calls.length]).toEqual([1, 2]);
  });

  test("ends its wait when it is cut, and for good when it is closed", async () => {
    const pause = new Pause();
    const attempt = failing(down(), down(), down());
    const result = retrying(attempt, { pause }).catch((error: unknown) => (error as ChatError).code);

    await settle();
    pause.cut();
    await settle();
    pause.close();

    expect(await result).toBe("unavailable");
    expect(attempt).toHaveBeenCalledTimes(2);
  });
});

describe("a coalesced task", () => {
  test("serves the requests made during a run by one run that begins after it", async () => {
    const ends: (() => void)[] = [];
    const work = vi.fn(() => new Promise<void>((resolve) => ends.push(resolve)));
    const task = new CoalescedTask(work);

    const first = task.request();
    const second = task.request();
    void task.request();
    ends.shift()?.();
    await settle();
    const during = work.mock.calls.length;
    ends.shift()?.();
    await Promise.all([first, second]);

    expect([during, work.mock.calls.length]).toEqual([2, 2]);
  });

  test("counts a retry as the run that a request asked for, and makes it at once", async () => {
    const work = failing(down());
    const task = new CoalescedTask(() => work().then(() => undefined));

    void task.request();
    await settle();
    await task.request();

    expect(work).toHaveBeenCalledTimes(2);
  });

  test("loses no request, whenever it is made", async () => {
    for (let turns = 0; turns < 20; turns += 1) {
      let isRunAfterRequest = false;
      const task = new CoalescedTask(() => {
        isRunAfterRequest = true;
        return Promise.resolve();
      });
      void task.request();
      await settle(turns);

      isRunAfterRequest = false;
      await task.request();

      expect(isRunAfterRequest).toBe(true);
    }
  });

  test("starts no run once it is stopped", async () => {
    const work = failing(down(), down());
    const task = new CoalescedTask(() => work().then(() => undefined));
    const request = task.request();
    await settle();

    task.stop();
    await request;
    await task.request();

    expect(work).toHaveBeenCalledOnce();
  });
});

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Heartbeat } from "../../src/connection/heartbeat.ts";

function setUp(beats: { activity: number; nextInMs: number }[]) {
  let missed = 0;
  let count = 0;
  let received = 3;
  const heartbeat = new Heartbeat({
    send: () => {
      const beat = beats[Math.min(count, beats.length - 1)];
      count += 1;
      return beat ? Promise.resolve(beat) : Promise.reject(new Error("down"));
    },
    receivedCount: () => received,
    onMissed: () => {
      missed += 1;
      return Promise.resolve();
    },
  });
  const receive = (more: number) => (received += more);
  return { heartbeat, receive, missed: () => missed, count: () => count };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("the heartbeat", () => {
  test("beats at the interval the service asks for", async () => {
    const { heartbeat, count } = setUp([{ activity: 1, nextInMs: 10_000 }]);

    await heartbeat.start();
    await vi.advanceTimersByTimeAsync(10_000);

    expect(count()).toBe(2);
  });

  test("finds nothing missed when as many messages were received as counted", async () => {
    const { heartbeat, receive, missed } = setUp([{ activity: 7, nextInMs: 1_000 }, { activity: 9, nextInMs: 1_000 }]);
    await heartbeat.start();

    receive(2);
    await vi.advanceTimersByTimeAsync(1_000);

    expect(missed()).toBe(0);
  });

  test("finds out within one beat that a push was lost", async () => {
    const { heartbeat, receive, missed } = setUp([{ activity: 7, nextInMs: 1_000 }, { activity: 9, nextInMs: 1_000 }]);
    await heartbeat.start();

    receive(1);
    await vi.advanceTimersByTimeAsync(1_000);

    expect(missed()).toBe(1);
  });

  test("takes a counter that was reset for a miss", async () => {
    const { heartbeat, missed } = setUp([{ activity: 7, nextInMs: 1_000 }, { activity: 0, nextInMs: 1_000 }]);

    await heartbeat.start();
    await vi.advanceTimersByTimeAsync(1_000);

    expect(missed()).toBe(1);
  });

  test("goes on after a beat that failed, and stops when stopped", async () => {
    const { heartbeat, count } = setUp([]);
    await heartbeat.start();
    await vi.advanceTimersByTimeAsync(20_000);
    const beaten = count();

    heartbeat.stop();
    await vi.advanceTimersByTimeAsync(200_000);

    expect(beaten).toBe(2);
    expect(count()).toBe(2);
  });
});

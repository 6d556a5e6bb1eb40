import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { TypingSender, TypingWatch } from "../../src/presence/typing.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("typing", () => {
  test("is sent at most every three seconds and taken back after a pause", async () => {
    const sent: boolean[] = [];
    const sender = new TypingSender((_, typing) => sent.push(typing));

    for (let key = 0; key < 40; key += 1) {
      sender.keystroke("c");
      await vi.advanceTimersByTimeAsync(100);
    }
    const while4s = sent.length;
    await vi.advanceTimersByTimeAsync(10_000);

    expect(while4s).toBe(2);
    expect(sent.at(-1)).toBe(false);
  });

  test("is forgotten when nothing more is heard", async () => {
    const watch = new TypingWatch();

    watch.setTyping("c", "ben", true);
    const before = watch.store("c").get();
    await vi.advanceTimersByTimeAsync(6_000);

    expect([before, watch.store("c").get()]).toEqual([["ben"], []]);
  });
});

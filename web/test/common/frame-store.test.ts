import { Store } from "@parley/sdk";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FrameStore } from "../../src/common/frame-store.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function listening() {
  const source = new Store(0);
  const view = new FrameStore(source);
  const heard: number[] = [];
  const stop = view.subscribe(() => heard.push(view.get()));
  return { source, view, heard, stop };
}

test("a thousand changes in a frame are one notification, with the last of them", () => {
  const { source, view, heard } = listening();

  for (let value = 1; value <= 1000; value += 1) source.set(value);
  const during = view.get();
  vi.advanceTimersToNextFrame();

  expect(during).toBe(0);
  expect(heard).toEqual([1000]);
});

test("what a listener changes is told with the next frame, never within its own", () => {
  const { source, view, heard } = listening();
  view.subscribe(() => source.set(Math.min(3, source.get() + 1)));

  source.set(1);
  const told = [1, 2, 3, 4].map(() => {
    vi.advanceTimersToNextFrame();
    return [...heard];
  });

  expect(told).toEqual([[1], [1, 2], [1, 2, 3], [1, 2, 3]]);
});

test("a page that draws no frames is told all the same", () => {
  vi.stubGlobal("requestAnimationFrame", () => 0);
  vi.stubGlobal("cancelAnimationFrame", () => undefined);
  const { source, heard } = listening();

  source.set(1);
  vi.advanceTimersByTime(250);
  vi.unstubAllGlobals();

  expect(heard).toEqual([1]);
});

test("without listeners the snapshot is the source's own, and nothing is told", () => {
  const { source, view, heard, stop } = listening();

  stop();
  source.set(1);
  vi.advanceTimersToNextFrame();

  expect([view.get(), heard]).toEqual([1, []]);
});

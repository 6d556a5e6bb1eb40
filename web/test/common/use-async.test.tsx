import { act, cleanup, renderHook } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { type Async, useAsync } from "../../src/common/useAsync.ts";

afterEach(cleanup);

/** A loader whose calls a test settles one by one. */
function setUp() {
  const calls: { key: string | null; signal: AbortSignal; resolve: (value: string) => void; reject: (error: Error) => void }[] = [];
  const release = vi.fn();
  const load = (key: string | null) => (signal: AbortSignal) =>
    new Promise<string>((resolve, reject) => calls.push({ key, signal, resolve, reject }));
  const view = renderHook<Async<string>, string | null>((name) => useAsync(name, load(name), release), { initialProps: "a" });
  const show = (name: string | null) => view.rerender(name);
  const settle = (work: () => void) => act(async () => {
    work();
    await Promise.resolve();
  });
  return { calls, release, show, settle, result: () => view.result.current, unmount: view.unmount };
}

test("shows the latest key's value only, in whichever order the calls settle", async () => {
  const { calls, show, settle, result } = setUp();
  show("b");

  await settle(() => calls[1]?.resolve("of b"));
  await settle(() => calls[0]?.resolve("of a"));

  expect(calls.map(({ key, signal }) => [key, signal.aborted])).toEqual([["a", true], ["b", false]]);
  expect(result()).toMatchObject({ value: "of b", error: null });
});

test("shows the error, and starts anew with the next key", async () => {
  const { calls, show, settle, result } = setUp();
  await settle(() => calls[0]?.reject(new Error("down")));
  const before = result().error;

  show("b");

  expect(before).toEqual(new Error("down"));
  expect(result()).toEqual({ value: null, error: null });
});

test("does not load without a key", () => {
  const { calls, show } = setUp();

  show(null);

  expect(calls).toHaveLength(1);
});

test("releases each value once it is not shown any more, also one that comes too late", async () => {
  const { calls, release, show, settle, unmount } = setUp();
  await settle(() => calls[0]?.resolve("of a"));
  const whileShown = release.mock.calls.length;

  show("b");
  unmount();
  await settle(() => calls[1]?.resolve("of b"));

  expect(whileShown).toBe(0);
  expect(release.mock.calls).toEqual([["of a"], ["of b"]]);
});

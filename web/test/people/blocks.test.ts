// @vitest-environment node
import { expect, test, vi } from "vitest";
import { Blocks } from "../../src/people/blocks.ts";
import { fakeChat, outboxEntry } from "../fakes.tsx";

test("a refusal for a block reads the blocks again: it may have been put on another device", async () => {
  const { client, stores } = fakeChat();
  const me = vi.fn(() => Promise.resolve({ settings: { blocked: ["ben"] } }));
  const blocks = new Blocks(Object.assign(client, { api: { me } }));
  blocks.start();
  await Promise.resolve();

  stores.outbox.set({ entries: [outboxEntry({ failure: { code: "blocked", detail: "" } })], waiting: null });
  await vi.waitFor(() => expect(me).toHaveBeenCalledTimes(2));

  expect([...(blocks.store.get() ?? [])]).toEqual(["ben"]);
});

test("a page that is back after it was away or hidden reads the blocks again", () => {
  const { client, stores } = fakeChat();
  const me = vi.fn(() => Promise.resolve({ settings: { blocked: [] } }));
  const seen: { changed?: () => void } = {};
  const page = {
    visibilityState: "visible" as const,
    addEventListener: (_: string, changed: () => void) => {
      seen.changed = changed;
    },
  };
  new Blocks(Object.assign(client, { api: { me } })).start(page as unknown as Document);
  expect(me).toHaveBeenCalledTimes(1);

  stores.connection.set({ phase: "reconnecting", deviceOnline: true });
  stores.connection.set({ phase: "online", deviceOnline: true });
  expect(me).toHaveBeenCalledTimes(2);

  seen.changed?.();
  expect(me).toHaveBeenCalledTimes(3);
});

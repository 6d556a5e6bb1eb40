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

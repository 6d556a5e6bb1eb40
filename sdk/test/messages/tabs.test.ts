import { afterEach, expect, test, vi } from "vitest";
import { BrowserTabs } from "../../src/messages/tabs.ts";
import { settle } from "../samples.ts";

afterEach(() => vi.unstubAllGlobals());

/** Web Locks of which a test grants each request itself; `held` tells whether the request's lock is held still. */
function stubLocks() {
  const requests: { grant: () => void; held: boolean }[] = [];
  const request = (_name: string, _options: unknown, whileHeld: () => Promise<void>) =>
    new Promise<void>((resolve) => {
      const state = { held: false, grant: () => {
        state.held = true;
        void whileHeld().then(() => {
          state.held = false;
          resolve();
        });
      } };
      requests.push(state);
    });
  vi.stubGlobal("navigator", { locks: { request } });
  return requests;
}

test("a tab leads from the grant of the lock until it closes", async () => {
  const requests = stubLocks();
  const lead = vi.fn();
  const tabs = new BrowserTabs("ann");

  tabs.onLeader(lead);
  requests[0]?.grant();
  const whileOpen = requests[0]?.held;
  tabs.close();
  await settle();

  expect([whileOpen, requests[0]?.held]).toEqual([true, false]);
  expect(lead).toHaveBeenCalledOnce();
});

test("a lock that is granted as the tab closes is given back, and nobody leads by it", async () => {
  const requests = stubLocks();
  const lead = vi.fn();
  const tabs = new BrowserTabs("ann");

  tabs.onLeader(lead);
  tabs.close();
  requests[0]?.grant();
  await settle();

  expect(requests[0]?.held).toBe(false);
  expect(lead).not.toHaveBeenCalled();
});

// @vitest-environment node
import { beforeEach, describe, expect, it } from "vitest";
import source from "../../public/sw.js?raw";

interface Shown {
  tag: string;
  data: { sequence?: number };
}

let shown: Shown[];
let push: (document: unknown) => Promise<unknown>;

beforeEach(() => {
  shown = [];
  const handlers = new Map<string, (event: unknown) => void>();
  const registration = {
    getNotifications: ({ tag }: { tag: string }) =>
      Promise.resolve(
        shown
          .filter((one) => one.tag === tag)
          .map((one) => ({ ...one, close: () => (shown = shown.filter((other) => other !== one)) })),
      ),
    showNotification: async (title: string, options: Shown) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (title === "refused") throw new TypeError("no permission");
      shown = [...shown.filter((one) => one.tag !== options.tag), options];
    },
  };
  const worker = {
    registration,
    addEventListener: (name: string, handler: (event: unknown) => void) => handlers.set(name, handler),
  };
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- a service worker is a script of its own
  (new Function("self", source) as (self: unknown) => void)(worker);
  push = (document) => {
    let work: Promise<unknown> = Promise.resolve();
    handlers.get("push")?.({
      data: { json: () => document },
      waitUntil: (promise: Promise<unknown>) => (work = promise),
    });
    return work;
  };
});

describe("the service worker", () => {
  const note = (sequence: number, conversationId = "g-1") =>
    push({ conversationId, title: "Ben", body: "hi", tag: conversationId, sequence });
  const clear = (upTo: number) => push({ clear: true, conversationId: "g-1", tag: "g-1", upTo });

  it("shows one notification for each conversation", async () => {
    await note(1);
    await note(2);
    await note(1, "g-2");

    expect(shown.map((one) => [one.tag, one.data.sequence])).toEqual([
      ["g-1", 2],
      ["g-2", 1],
    ]);
  });

  it("takes back what was read elsewhere, and shows nothing", async () => {
    await note(2);
    await note(1, "g-2");

    await clear(2);

    expect(shown.map((one) => one.tag)).toEqual(["g-2"]);
  });

  it("takes back what is still being shown", async () => {
    await Promise.all([note(1), clear(1)]);

    expect(shown).toEqual([]);
  });

  it("shows the next one after one that could not be shown", async () => {
    const refused = push({ conversationId: "g-2", title: "refused", body: "hi", tag: "g-2", sequence: 1 });
    const next = note(1);

    await expect(refused).rejects.toThrow("no permission");
    await next;

    expect(shown.map((one) => one.tag)).toEqual(["g-1"]);
  });

  it("keeps a notification of a message that came later", async () => {
    await note(3);

    await clear(2);

    expect(shown).toHaveLength(1);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { OutboxEntry } from "../../src/messages/outbox-entry.ts";
import { interleave } from "../../src/messages/unsent.ts";
import { ME, message, messages } from "../samples.ts";

function entry(clientMessageId: string, after?: number): OutboxEntry {
  const rest = { body: "", attachments: [], replyTo: null, createdAt: 1, attempts: 0, failure: null };
  return { clientMessageId, userId: ME, conversationId: "c", ...rest, ...(after === undefined ? {} : { after }) };
}

const own = (sequence: number, clientMessageId: string) => message(sequence, { senderId: ME, clientMessageId });
const show = (stored: Parameters<typeof interleave>[0], entries: OutboxEntry[]) =>
  interleave<number | string>(stored, entries, ME, { stored: ({ sequence }) => sequence, unsent: (one) => one.clientMessageId });

describe("an unsent message", () => {
  test("stays where it was written, whatever comes later", () => {
    expect(show(messages(1, 5), [entry("b", 3)])).toEqual([1, 2, 3, "b", 4, 5]);
  });

  test("stands at the end when nothing was known above it", () => {
    expect(show(messages(1, 2), [entry("b")])).toEqual([1, 2, "b"]);
  });

  test("stands below this user's own earlier message that was stored since", () => {
    expect(show([message(1), own(2, "a"), message(3)], [entry("b", 1)])).toEqual([1, 2, "b", 3]);
  });

  test("stays above this user's own later message", () => {
    expect(show([message(1), own(2, "c")], [entry("b", 1)])).toEqual([1, "b", 2]);
  });

  test("stands first when what stood above it is not loaded", () => {
    expect(show(messages(50, 51), [entry("b", 3)])).toEqual(["b", 50, 51]);
  });

  test("is shown once, in the order of writing, and moves no stored message", () => {
    const places = fc.array(fc.option(fc.nat(12), { nil: undefined }), { maxLength: 8 });
    fc.assert(
      fc.property(fc.nat(10), places, (count, afters) => {
        const entries = afters.map((after, index) => entry(`id-${index}`, after));
        const shown = show(messages(1, count), entries);

        expect(shown.filter((one) => typeof one === "number")).toEqual(messages(1, count).map(({ sequence }) => sequence));
        expect(shown.filter((one) => typeof one === "string").sort()).toEqual(entries.map((one) => one.clientMessageId).sort());
      }),
    );
  });
});

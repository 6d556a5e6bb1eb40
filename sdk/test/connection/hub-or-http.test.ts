import { describe, expect, test } from "vitest";
import { HubOrHttp } from "../../src/connection/hub-or-http.ts";
import type { OutboxEntry } from "../../src/messages/outbox-entry.ts";
import { CONVERSATION, ME, message, settle } from "../samples.ts";

describe("a call by hub or HTTP", () => {
  const entry: OutboxEntry = {
    clientMessageId: "m", userId: ME, conversationId: CONVERSATION, body: "hi", attachments: [], replyTo: null,
    createdAt: 1, attempts: 1, failure: null,
  };

  function setUp(isOnline: boolean) {
    const sent: unknown[] = [];
    const calls = new HubOrHttp(
      { isOnline, invoke: (method: string, argument: unknown) => {
        sent.push(["hub", method, argument]);
        return Promise.resolve({ ok: true, message: message(1) });
      } } as never,
      { postMessage: (argument: unknown) => {
        sent.push(["http", argument]);
        return Promise.resolve(message(1));
      } } as never,
    );
    return { calls, sent };
  }

  test("a message goes by the hub when there is one, and by HTTP when there is none", async () => {
    const up = setUp(true);
    const down = setUp(false);

    await up.calls.send(entry, false);
    await down.calls.send(entry, true);
    await settle();

    const body = { conversationId: CONVERSATION, clientMessageId: "m", body: "hi" };
    expect(up.sent).toEqual([["hub", "sendMessage", body]]);
    expect(down.sent).toEqual([["http", { ...body, retry: true }]]);
  });

  test("a message that fails again and again is also tried over HTTP", async () => {
    const { calls, sent } = setUp(true);

    for (const attempts of [1, 2, 3]) await calls.send({ ...entry, attempts }, attempts > 1);

    expect(sent.map((call) => (call as string[])[0])).toEqual(["hub", "hub", "http"]);
  });
});

import { HttpError, type HttpClient, type HttpRequest, HttpResponse } from "@microsoft/signalr";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Attempt, waitBeforeMs } from "../../src/connection/reconnect.ts";
import { SiteHttpClient } from "../../src/connection/site-http-client.ts";

const LOST = { lastedMs: 60_000, wasReplaced: false };
const FIRST: Attempt = { number: 0, closed: LOST, retryAfterMs: null, wasRenewed: false, reconnectWithinMs: 0 };
const chance = fc.double({ min: 0, max: 0.999, noNaN: true });

test("the first attempt after a loss is spread over the time that the service says", () => {
  const waits = [0, 0.25, 0.5, 0.75].map((part) => waitBeforeMs({ ...FIRST, reconnectWithinMs: 40_000 }, () => part));

  expect(waits).toEqual([250, 10_000, 20_000, 30_000]);
});

test("a device that makes a fresh connection, and later attempts, do not wait for the others", () => {
  const crowd = { ...FIRST, reconnectWithinMs: 40_000 };

  expect(waitBeforeMs({ ...crowd, wasRenewed: true }, () => 0.9)).toBeLessThanOrEqual(500);
  expect(waitBeforeMs({ ...crowd, number: 1, closed: null }, () => 0.9)).toBeLessThanOrEqual(1000);
});

test("who is told to wait waits at least as long, and not all as long", () => {
  fc.assert(
    fc.property(fc.nat(60_000), fc.nat(40), chance, (retryAfterMs, number, random) => {
      const wait = waitBeforeMs({ ...FIRST, number, closed: null, retryAfterMs }, () => random);

      expect(wait).toBeGreaterThanOrEqual(retryAfterMs);
      expect(wait).toBeLessThanOrEqual(Math.max(2 * retryAfterMs, 30_000));
    }),
  );
  const waits = [0, 0.5].map((random) => waitBeforeMs({ ...FIRST, closed: null, retryAfterMs: 5000 }, () => random));
  expect(waits).toEqual([5000, 7500]);
});

test("25 tabs with 20 connections do not push each other out for ever", () => {
  fc.assert(
    fc.property(fc.infiniteStream(chance), (chances) => {
      const random = (): number => chances.next().value as number;
      const open = Array.from({ length: 20 }, (_, tab) => tab);
      const away = new Map(Array.from({ length: 5 }, (_, tab) => [tab + 20, 0]));
      let closings = 0;
      for (;;) {
        const [tab, at] = [...away].reduce((one, other) => (other[1] < one[1] ? other : one));
        if (at > 3_600_000) break; // one hour
        away.delete(tab);
        open.push(tab);
        const oldest = open.shift();
        if (oldest === undefined) throw new Error("none is open");
        closings += 1;
        away.set(oldest, at + waitBeforeMs({ ...FIRST, closed: { lastedMs: 0, wasReplaced: true } }, random));
      }

      expect(closings).toBeLessThanOrEqual(5 * 13); // five are away, each for five minutes or more
    }),
    { numRuns: 20 },
  );
});

class Answering implements Partial<HttpClient> {
  readonly asked: HttpRequest[] = [];
  error: Error | null = null;

  send(request: HttpRequest): Promise<HttpResponse> {
    this.asked.push(request);
    return this.error ? Promise.reject(this.error) : Promise.resolve(new HttpResponse(200));
  }
}

test("the wait that a refusal of negotiate asks for is kept until it is taken", async () => {
  const inner = new Answering();
  const http = new SiteHttpClient("https://chat.example/", { "x-ms-signalr-userid": "ann" }, inner as never);
  const negotiate = { method: "POST", url: "https://chat.example/api/negotiate?negotiateVersion=1" };

  inner.error = new HttpError(JSON.stringify({ code: "busy", retryAfterMs: 7000 }), 503);
  await expect(http.send(negotiate)).rejects.toThrow();
  expect([http.consumeRetryAfterMs(), http.consumeRetryAfterMs()]).toEqual([7000, null]);
  for (const error of [new HttpError("<html>", 503), new HttpError('{"retryAfterMs":1}', 403), new Error("gone")]) {
    inner.error = error;
    await expect(http.send(negotiate)).rejects.toThrow();
    expect(http.consumeRetryAfterMs()).toBeNull();
  }
  inner.error = null;
  await http.send(negotiate);
  await http.send({ method: "POST", url: "https://service.example/client/negotiate" });

  expect(inner.asked[0]?.headers).toEqual({ "x-ms-signalr-userid": "ann" });
  expect(inner.asked.at(-1)?.headers).toBeUndefined();
});

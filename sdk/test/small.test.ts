import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { backoffMs } from "../src/backoff.ts";
import { errorFromResponse } from "../src/errors.ts";
import { Http } from "../src/http.ts";
import { uuid7 } from "../src/ids.ts";
import { TypingSender, TypingWatch } from "../src/typing.ts";
import { upload } from "../src/upload.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("ids", () => {
  test("are UUIDs of version 7 that rise strictly, also when the clock does not", () => {
    const ids = Array.from({ length: 10_000 }, () => uuid7(1_700_000_000_000));

    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("waits", () => {
  test("grow, stay under 30 seconds, and are never less than half their ceiling", () => {
    fc.assert(
      fc.property(fc.nat(60), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, chance) => {
        const wait = backoffMs(attempt, () => chance);
        const ceiling = Math.min(30_000, 500 * 2 ** attempt);

        expect(wait).toBeGreaterThanOrEqual(ceiling / 2);
        expect(wait).toBeLessThanOrEqual(ceiling);
      }),
    );
  });
});

describe("errors", () => {
  test("carry the problem's code and wait", () => {
    const error = errorFromResponse(429, { code: "rate_limited", detail: "slow", retryAfterMs: 1500 }, "2");

    expect([error.code, error.retryAfterMs, error.isTransient]).toEqual(["rate_limited", 1500, true]);
  });

  test("are made of the status when a proxy answered", () => {
    const error = errorFromResponse(502, null, "3");

    expect([error.code, error.retryAfterMs]).toEqual(["unavailable", 3000]);
  });
});

describe("HTTP", () => {
  function http(answers: Response[]) {
    const sent: { url: string; authorization: string }[] = [];
    let renewed = 0;
    const client = new Http({
      baseUrl: "http://site.test/",
      tokenProvider: ({ refresh }) => {
        if (refresh) renewed += 1;
        return Promise.resolve(`token-${renewed}`);
      },
      fetch: (url, init) => {
        sent.push({ url: url as string, authorization: new Headers(init?.headers).get("authorization") ?? "" });
        return Promise.resolve(answers.shift() ?? new Response(null, { status: 500 }));
      },
    });
    return { client, sent };
  }

  test("renews a refused token once", async () => {
    const { client, sent } = http([new Response(null, { status: 401 }), Response.json({ userId: "ann" })]);

    const me = await client.request("GET", "/me");

    expect(me).toEqual({ userId: "ann" });
    expect(sent).toEqual([
      { url: "http://site.test/api/me", authorization: "Bearer token-0" },
      { url: "http://site.test/api/me", authorization: "Bearer token-1" },
    ]);
  });

  test("turns a problem into its error", async () => {
    const problem = { code: "conversation_full", detail: "100 members" };
    const { client } = http([Response.json(problem, { status: 409 })]);

    await expect(client.request("POST", "/x")).rejects.toMatchObject({ code: "conversation_full", status: 409 });
  });

  test("calls no answer a network error and a late one a timeout", async () => {
    const tokenProvider = () => Promise.resolve("t");
    const cut = new Http({ baseUrl: "", tokenProvider, fetch: () => Promise.reject(new TypeError("cut")) });
    const late = new Http({
      baseUrl: "",
      tokenProvider,
      timeoutMs: 5,
      fetch: (_, init) =>
        new Promise((_resolve, reject) => init?.signal?.addEventListener("abort", () => reject(new Error("aborted")))),
    });

    await expect(cut.request("GET", "/x")).rejects.toMatchObject({ code: "network" });
    await expect(late.request("GET", "/x")).rejects.toMatchObject({ code: "timeout" });
  });
});

describe("typing", () => {
  beforeEach(() => vi.useFakeTimers());

  test("is said at most every three seconds and taken back after a rest", async () => {
    const said: boolean[] = [];
    const sender = new TypingSender((_, typing) => said.push(typing));

    for (let key = 0; key < 40; key += 1) {
      sender.keystroke("c");
      await vi.advanceTimersByTimeAsync(100);
    }
    const while4s = said.length;
    await vi.advanceTimersByTimeAsync(10_000);

    expect(while4s).toBe(2);
    expect(said.at(-1)).toBe(false);
  });

  test("is forgotten when nothing more is heard", async () => {
    const watch = new TypingWatch();

    watch.take("c", "ben", true);
    const before = watch.store("c").get();
    await vi.advanceTimersByTimeAsync(6_000);

    expect([before, watch.store("c").get()]).toEqual([["ben"], []]);
  });
});

describe("an upload", () => {
  const file = Object.assign(new Blob(["hello"], { type: "text/plain" }), { name: "a.txt" });
  const grant = { attachmentId: "a-1", uploadUrl: "http://blob.test/a", headers: { "x-ms-blob-type": "BlockBlob" }, expiresAt: 0 };

  test("puts the bytes where the grant says, with its headers", async () => {
    const put = vi.fn((_url: string, _init: RequestInit) => Promise.resolve(new Response(null, { status: 201 })));
    vi.stubGlobal("fetch", put);

    const result = await upload({ grantUpload: () => Promise.resolve(grant) }, "c", file);

    expect(put.mock.calls[0]?.[0]).toBe(grant.uploadUrl);
    expect(put.mock.calls[0]?.[1]).toMatchObject({ method: "PUT", headers: grant.headers });
    expect(result).toMatchObject({ attachmentId: "a-1", fileName: "a.txt", contentType: "text/plain", sizeBytes: 5 });
  });

  test("asks for a new grant after a cut, and not after a refusal", async () => {
    vi.useFakeTimers();
    const answers = [503, 201, 403];
    vi.stubGlobal("fetch", () => Promise.resolve(new Response(null, { status: answers.shift() ?? 500 })));
    const grantUpload = vi.fn(() => Promise.resolve(grant));

    const cut = upload({ grantUpload }, "c", file);
    await vi.advanceTimersByTimeAsync(5_000);
    await cut;
    const refused = upload({ grantUpload }, "c", file);

    await expect(refused).rejects.toMatchObject({ code: "forbidden" });
    expect(grantUpload).toHaveBeenCalledTimes(3);
  });
});

import { describe, expect, test } from "vitest";
import { Http } from "../../src/connection/http.ts";

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

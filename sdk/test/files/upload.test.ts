import { afterEach, describe, expect, test, vi } from "vitest";
import { upload } from "../../src/files/upload.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
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

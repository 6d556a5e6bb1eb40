import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { backoffMs } from "../../src/common/backoff.ts";
import { errorFromResponse } from "../../src/common/errors.ts";
import { uuid7 } from "../../src/common/ids.ts";

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

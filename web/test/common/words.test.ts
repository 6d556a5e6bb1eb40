// @vitest-environment node
import { ChatError } from "@parley/sdk";
import { describe, expect, test } from "vitest";
import { explain } from "../../src/common/explain.ts";
import { dayLabel, fileSize, lastSeen } from "../../src/common/format.ts";

describe("what went wrong", () => {
  test("is said in words, also for a code nobody has heard of", () => {
    expect(explain(new ChatError("conversation_full", "x"))).toContain("100 members");
    expect(explain(new ChatError("novel", "the moon is full"))).toContain("the moon is full");
    expect(explain(new Error("internal detail"))).not.toContain("internal detail");
  });
});

describe("words for numbers", () => {
  const now = new Date(2026, 4, 5, 12).getTime();

  test("days are named by how near they are", () => {
    const names = [0, 1, 3].map((days) => dayLabel(now - days * 86_400_000, now));

    expect(names).toEqual(["Today", "Yesterday", "Saturday"]);
    expect(dayLabel(now - 40 * 86_400_000, now)).toContain("2026");
  });

  test("sizes and absences are rounded", () => {
    expect([fileSize(12), fileSize(12_345), fileSize(2_500_000)]).toEqual(["12 B", "12 KB", "2.5 MB"]);
    expect([lastSeen(null), lastSeen(now - 5 * 60_000, now)]).toEqual([null, "last seen 5 min ago"]);
  });
});

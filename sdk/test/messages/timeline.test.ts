import { describe, expect, test } from "vitest";
import { Timeline } from "../../src/messages/timeline.ts";
import { message, messages } from "../samples.ts";

const sequences = (timeline: Timeline) => timeline.items.map((item) => item.sequence);

function loaded(first: number, last: number): Timeline {
  const timeline = new Timeline();
  timeline.mergeNewest(messages(first, last), last);
  return timeline;
}

describe("a timeline", () => {
  test("appends the message that follows", () => {
    const timeline = loaded(1, 3);

    timeline.merge(message(4));

    expect(sequences(timeline)).toEqual([1, 2, 3, 4]);
  });

  test("takes a message only once", () => {
    const timeline = loaded(1, 3);

    timeline.merge(message(3));
    timeline.merge(message(4));
    timeline.merge(message(4));

    expect(sequences(timeline)).toEqual([1, 2, 3, 4]);
  });

  test("holds back a message beyond a hole and names the hole", () => {
    const timeline = loaded(1, 3);

    timeline.merge(message(6));

    expect(sequences(timeline)).toEqual([1, 2, 3]);
    expect(timeline.gap()).toEqual({ first: 4, last: 5 });
  });

  test("shows what it held back once the hole is filled", () => {
    const timeline = loaded(1, 3);
    timeline.merge(message(6));

    timeline.mergeAfter(3, messages(4, 5), 6);

    expect(sequences(timeline)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(timeline.gap()).toBeNull();
  });

  test("holds everything back until the newest page is there", () => {
    const timeline = new Timeline();

    timeline.merge(message(51));
    timeline.mergeNewest(messages(1, 50), 50);

    expect(timeline.last).toBe(51);
    expect(timeline.gap()).toBeNull();
  });

  test("accepts a hole that history itself leaves", () => {
    const timeline = loaded(1, 3);

    timeline.mergeAfter(3, messages(9, 10), 10);

    expect(sequences(timeline)).toEqual([1, 2, 3, 9, 10]);
    expect(timeline.gap()).toBeNull();
  });

  test("ignores an answer about a position it has left when it would leave a hole", () => {
    const timeline = loaded(1, 3);
    timeline.merge(message(4));

    timeline.mergeAfter(3, messages(9, 10), 10);

    expect(sequences(timeline)).toEqual([1, 2, 3, 4]);
    expect(timeline.gap()).toEqual({ first: 5, last: 10 });
  });

  test("begins anew at the newest page when it does not touch what is here", () => {
    const timeline = loaded(1, 3);

    timeline.mergeNewest(messages(400, 449), 449);

    expect(timeline.first).toBe(400);
    expect(timeline.atStart).toBe(false);
  });

  test("goes on after what a new member may not see", () => {
    const timeline = new Timeline();

    timeline.mergeNewest([], 10);
    timeline.merge(message(11));

    expect(sequences(timeline)).toEqual([11]);
    expect(timeline.atStart).toBe(true);
  });

  test("knows its start by sequence 1 or by an empty page", () => {
    const byFirst = loaded(40, 60);
    const byEmpty = loaded(40, 60);

    byFirst.mergeBefore(messages(1, 39));
    byEmpty.mergeBefore([]);

    expect([byFirst.atStart, byEmpty.atStart]).toEqual([true, true]);
  });

  test("replaces an attachment in its message", () => {
    const attachment = {
      attachmentId: "a", fileName: "f", contentType: "image/png" as const, sizeBytes: 1, width: null, height: null,
      state: "pending" as const,
    };
    const timeline = new Timeline();
    timeline.mergeNewest([message(1, { attachments: [attachment] })], 1);

    timeline.replaceAttachment(1, { ...attachment, state: "clean" });

    expect(timeline.items[0]?.attachments[0]?.state).toBe("clean");
  });
});

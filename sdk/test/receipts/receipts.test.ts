import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Receipts } from "../../src/receipts/receipts.ts";
import { ME, OTHER, conversation, message } from "../samples.ts";

const receipt = fc.record({ userId: fc.constantFrom("a", "b"), delivered: fc.nat(20), read: fc.nat(20) });

describe("receipts", () => {
  test("come out the same in whatever order and however often they are merged", () => {
    fc.assert(
      fc.property(fc.array(receipt), fc.array(fc.nat()), (receipts, order) => {
        const inOrder = new Receipts();
        const shuffled = new Receipts();

        receipts.forEach((one) => inOrder.merge(one));
        [...receipts].sort((a, b) => (order[a.read] ?? 0) - (order[b.read] ?? 0)).forEach((one) => {
          shuffled.merge(one);
          shuffled.merge(one);
        });

        expect(shuffled.all()).toEqual(inOrder.all());
      }),
    );
  });

  test("never show less delivered than read", () => {
    const receipts = new Receipts();

    receipts.merge({ userId: OTHER, delivered: 1, read: 5 });

    expect(receipts.of(OTHER)).toEqual({ delivered: 5, read: 5 });
  });

  test("take an author to have read up to the own message", () => {
    const receipts = new Receipts();

    receipts.mergeAuthor(message(7, { senderId: OTHER }));

    expect(receipts.of(OTHER).read).toBe(7);
  });

  test("wait for every member who may see the message, and for no other", () => {
    const receipts = new Receipts();
    const { members } = conversation();
    const late = { userId: "late", role: "member" as const, joinedAt: 2, historyFrom: 9 };
    const third = { ...late, userId: "third", historyFrom: 1 };
    receipts.merge({ userId: OTHER, delivered: 3, read: 3 });

    const withLate = receipts.statusOf(message(3, { senderId: ME }), [...members, late]);
    const withThird = receipts.statusOf(message(3, { senderId: ME }), [...members, third]);

    expect([withLate, withThird]).toEqual(["read", "sent"]);
  });

  test("believe the service when it knows more", () => {
    const receipts = new Receipts();

    const status = receipts.statusOf(message(3, { senderId: ME, status: "delivered" }), conversation().members);

    expect(status).toBe("delivered");
  });
});

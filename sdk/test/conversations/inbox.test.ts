import { describe, expect, test } from "vitest";
import { Inbox } from "../../src/conversations/inbox.ts";
import { CONVERSATION, ME, conversation, inboxItem, message } from "../samples.ts";

function withOne(latestSequence: number, read: number): Inbox {
  const inbox = new Inbox(ME);
  inbox.mergePage([inboxItem({ conversation: conversation({ latestSequence }), read })], false);
  return inbox;
}

const unread = (inbox: Inbox) => inbox.get(CONVERSATION)?.unreadCount;

describe("the inbox", () => {
  test("counts as unread what lies between head and read", () => {
    expect(unread(withOne(10, 7))).toBe(3);
  });

  test("counts a new message once, however often it comes", () => {
    const inbox = withOne(10, 10);

    inbox.mergeMessages([message(11)]);
    inbox.mergeMessages([message(11)]);

    expect(unread(inbox)).toBe(1);
  });

  test("is cleared by this user's own message and by reading elsewhere", () => {
    const written = withOne(10, 7);
    const read = withOne(10, 7);

    written.mergeMessages([message(11, { senderId: ME })]);
    read.mergeOwnReceipt({ conversationId: CONVERSATION, delivered: 10, read: 10 });

    expect([unread(written), unread(read)]).toEqual([0, 0]);
  });

  test("never unreads", () => {
    const inbox = withOne(10, 9);

    inbox.mergeOwnReceipt({ conversationId: CONVERSATION, delivered: 3, read: 3 });
    inbox.mergePage([inboxItem({ conversation: conversation({ latestSequence: 10 }), read: 4 })], false);

    expect(unread(inbox)).toBe(1);
  });

  test("does not count what came before a member joined", () => {
    const inbox = new Inbox(ME);
    const members = conversation().members.map((member) => ({ ...member, historyFrom: 8 }));

    inbox.mergeConversation(conversation({ latestSequence: 9, members }));

    expect(unread(inbox)).toBe(2);
  });

  test("lists newest activity first", () => {
    const inbox = new Inbox(ME);
    const two = [conversation({ id: "old" }), conversation({ id: "new", createdAt: 2_000_000 })];
    inbox.mergePage(two.map((one) => inboxItem({ conversation: one })), false);
    const before = inbox.store.get().entries.map((entry) => entry.conversation.id);

    inbox.mergeMessages([message(1, { conversationId: "old", sentAt: 3_000_000 })]);

    expect(before).toEqual(["new", "old"]);
    expect(inbox.store.get().entries.map((entry) => entry.conversation.id)).toEqual(["old", "new"]);
  });

  test("tells how many messages were new", () => {
    const inbox = withOne(10, 10);

    const counts = [message(12), message(11), message(13)].map((one) => inbox.mergeMessages([one]));

    expect(counts).toEqual([2, 0, 1]);
  });

  test("ignores an older version of a conversation", () => {
    const inbox = new Inbox(ME);
    inbox.mergeConversation(conversation({ version: 3, title: "new" }));

    inbox.mergeConversation(conversation({ version: 2, title: "old" }));

    expect(inbox.get(CONVERSATION)?.conversation.title).toBe("new");
  });

  test("drops what the newest page should have listed and did not", () => {
    const inbox = new Inbox(ME);
    const of = (id: string, createdAt: number) => inboxItem({ conversation: conversation({ id, createdAt }) });
    inbox.mergePage([of("a", 30), of("gone", 20), of("b", 10), of("paged", 5)], false);

    inbox.dropMissing(inbox.ids(), [of("a", 30), of("b", 10)], true);

    expect(inbox.ids()).toEqual(["a", "b", "paged"]);
  });

  test("leaves muted conversations out of the sum", () => {
    const inbox = withOne(10, 7);

    inbox.setMuted(CONVERSATION, true);

    expect(inbox.store.get().unreadCount).toBe(0);
  });
});

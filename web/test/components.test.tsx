import { act, cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { ChatError } from "@parley/sdk";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { explain } from "../src/chat/explain.ts";
import { dayLabel, fileSize, lastSeen } from "../src/chat/format.ts";
import type { Uploads } from "../src/chat/useUploads.ts";
import { Composer } from "../src/components/Composer.tsx";
import { ConnectionBanner } from "../src/components/ConnectionBanner.tsx";
import { ConversationList } from "../src/components/ConversationList.tsx";
import { MessageRow } from "../src/components/MessageRow.tsx";
import { NewConversationDialog } from "../src/components/NewConversationDialog.tsx";
import { NoticeList } from "../src/components/NoticeList.tsx";
import { entry, fakeChat, message, outboxEntry, stored, stubBrowser } from "./fakes.tsx";

beforeEach(() => {
  stubBrowser();
  sessionStorage.clear();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const noUploads = {
  all: [], done: [], isBusy: false, add: () => {}, retry: () => {}, remove: () => {}, take: () => [],
} satisfies Uploads;

describe("the composer", () => {
  function show(over: Partial<Parameters<typeof Composer>[0]> = {}) {
    const chat = fakeChat();
    const onReplyDone = vi.fn();
    render(
      <Composer
        conversationId="c" uploads={noUploads} replyTo={null} onReplyDone={onReplyDone} onSent={() => {}} {...over}
      />,
      { wrapper: chat.Wrapper },
    );
    return { ...chat, onReplyDone, field: screen.getByRole("textbox", { name: "Message" }), user: userEvent.setup() };
  }

  test("sends on Enter and empties itself", async () => {
    const { field, user, calls } = show();

    await user.type(field, "hello{Enter}");

    expect(calls).toContainEqual(["send", "c", { body: "hello", attachments: [], replyTo: null }]);
    expect(field).toHaveProperty("value", "");
  });

  test("begins a new line on Shift+Enter", async () => {
    const { field, user, calls } = show();

    await user.type(field, "one{Shift>}{Enter}{/Shift}two");

    expect(field).toHaveProperty("value", "one\ntwo");
    expect(calls.filter(([name]) => name === "send")).toEqual([]);
  });

  test("does not send spaces", async () => {
    const { field, user, calls } = show();

    await user.type(field, "   {Enter}");

    expect(calls.filter(([name]) => name === "send")).toEqual([]);
    expect(screen.getByRole("button", { name: "Send" })).toHaveProperty("disabled", true);
  });

  test("says how much is too much, and does not send it", async () => {
    const { field, user, calls } = show();

    await user.click(field);
    await user.paste("x".repeat(8_003));
    await user.keyboard("{Enter}");

    expect(screen.getByText("3 characters too long")).toBeTruthy();
    expect(calls.filter(([name]) => name === "send")).toEqual([]);
  });

  test("answers a message, and gives up the answer on Escape", async () => {
    const { field, user, calls, onReplyDone } = show({ replyTo: message({ sequence: 7, body: "a question" }) });

    await user.type(field, "an answer{Enter}");
    await user.type(field, "{Escape}");

    expect(screen.getByText("a question")).toBeTruthy();
    expect(calls).toContainEqual(["send", "c", { body: "an answer", attachments: [], replyTo: 7 }]);
    expect(onReplyDone).toHaveBeenCalledTimes(2);
  });

  test("waits for files that are on their way", async () => {
    const { field, user, calls } = show({ uploads: { ...noUploads, isBusy: true } });

    await user.type(field, "with a file{Enter}");

    expect(calls.filter(([name]) => name === "send")).toEqual([]);
  });

  test("keeps what was typed when the conversation is left and opened again", async () => {
    const { field, user } = show();
    await user.type(field, "half a th");
    cleanup();

    const again = show();

    expect(again.field).toHaveProperty("value", "half a th");
  });
});

describe("a message", () => {
  function show(item: Parameters<typeof MessageRow>[0]["item"]) {
    const chat = fakeChat();
    render(
      <ol>
        <MessageRow
          item={item} day={null} startsUnread={false} isContinued={false} showSender quoted={undefined} onReply={() => {}}
        />
      </ol>,
      { wrapper: chat.Wrapper },
    );
    return chat;
  }

  test.each([
    ["sent", "Sent"],
    ["delivered", "Delivered"],
    ["read", "Read"],
  ] as const)("of one's own that is %s says so", (status, label) => {
    show(stored({ senderId: "amara" }, status));

    expect(screen.getByRole("img", { name: label })).toBeTruthy();
  });

  test("of somebody else has a name and no ticks", () => {
    show(stored());

    expect(screen.getByText("Ben Lindqvist")).toBeTruthy();
    expect(screen.queryByRole("img", { name: "Sent" })).toBeNull();
  });

  test("that waits has a clock", () => {
    show({ kind: "pending", key: "k", entry: outboxEntry() });

    expect(screen.getByRole("img", { name: "Not sent yet" })).toBeTruthy();
  });

  test("that was refused says why, and can be tried again or deleted", async () => {
    const failure = { code: "blocked", detail: "no" };
    const { calls } = show({ kind: "failed", key: "k", entry: outboxEntry({ failure }) });

    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    await userEvent.click(screen.getByRole("button", { name: "Delete" }));

    expect(screen.getByRole("alert").textContent).toContain("You cannot message this person.");
    expect(calls).toEqual([["retry", "p-1"], ["discard", "p-1"]]);
  });

  test("whose sender was erased says that it is no more", () => {
    show(stored({ body: "", attachments: [] }));

    expect(screen.getByText("Deleted message")).toBeTruthy();
  });

  test("shows markup as the text it is", () => {
    show(stored({ body: "<img src=x onerror=alert(1)>" }));

    expect(screen.getByText("<img src=x onerror=alert(1)>")).toBeTruthy();
    expect(document.querySelector("img[src=x]")).toBeNull();
  });
});

describe("the list of conversations", () => {
  test("shows name, last words, unread count and who is online", () => {
    const { stores, Wrapper } = fakeChat();
    stores.presence.set(new Map([["ben", { userId: "ben", status: "online", lastSeenAt: null }]]));
    stores.inbox.set({ entries: [entry({ unreadCount: 2 })], loaded: true, hasMore: false, unreadCount: 2 });

    render(<ConversationList selectedId={null} onStart={() => {}} />, { wrapper: Wrapper });

    const link = screen.getByRole("link");
    expect(link.textContent).toContain("Ben Lindqvist");
    expect(link.textContent).toContain("hello");
    expect(screen.getByRole("img", { name: "2 unread" })).toBeTruthy();
    expect(screen.getByRole("img", { name: "online" })).toBeTruthy();
  });

  test("invites to start when it is empty", async () => {
    const { Wrapper } = fakeChat();
    const onStart = vi.fn();

    render(<ConversationList selectedId={null} onStart={onStart} />, { wrapper: Wrapper });
    await userEvent.click(screen.getByRole("button"));

    expect(onStart).toHaveBeenCalledOnce();
  });
});

describe("a new conversation", () => {
  test("is direct with one person and a named group with more", async () => {
    const { stores, calls, Wrapper } = fakeChat();
    const contact = (userId: string, displayName: string) => ({
      userId, displayName, avatarUrl: "", presence: { userId, status: "offline" as const, lastSeenAt: null },
    });
    stores.directory.set({ ...stores.directory.get(), contacts: [contact("ben", "Ben"), contact("cleo", "Cleo")] });
    render(<NewConversationDialog onClose={() => {}} />, { wrapper: Wrapper });
    const user = userEvent.setup();

    await user.click(screen.getByRole("checkbox", { name: "Ben" }));
    await user.click(screen.getByRole("button", { name: "Start" }));
    await user.click(screen.getByRole("checkbox", { name: "Cleo" }));
    await user.type(screen.getByLabelText("Name of the group"), "Walkers");
    await user.click(screen.getByRole("button", { name: "Start group of 3" }));

    expect(calls).toEqual([["startDirect", "ben"], ["startGroup", "Walkers", ["ben", "cleo"]]]);
  });
});

describe("the banner", () => {
  test("stays silent about a hiccup and speaks after a moment", () => {
    vi.useFakeTimers();
    const { stores, Wrapper } = fakeChat();
    render(<ConnectionBanner />, { wrapper: Wrapper });

    act(() => {
      stores.connection.set({ phase: "reconnecting", deviceOnline: true });
      vi.advanceTimersToNextFrame();
    });
    const atOnce = screen.getByRole("status").textContent;
    act(() => void vi.advanceTimersByTime(2_000));

    expect(atOnce).toBe("");
    expect(screen.getByRole("status").textContent).toBe("Reconnecting…");
  });

  test("says at once that the device is offline, and what becomes of messages", async () => {
    const { stores, Wrapper } = fakeChat();
    render(<ConnectionBanner />, { wrapper: Wrapper });

    act(() => stores.connection.set({ phase: "reconnecting", deviceOnline: false }));

    expect(await screen.findByText("Offline: messages are sent when you are back.")).toBeTruthy();
  });

  test("says when the service asks to slow down", () => {
    const { stores, Wrapper } = fakeChat();
    stores.outbox.set({ entries: [], waiting: { untilMs: Date.now() + 1_000, code: "rate_limited" } });

    render(<ConnectionBanner />, { wrapper: Wrapper });

    expect(screen.getByRole("status").textContent).toContain("faster than allowed");
  });
});

describe("what went wrong", () => {
  test("is said in words, also for a code nobody has heard of", () => {
    expect(explain(new ChatError("conversation_full", "x"))).toContain("100 members");
    expect(explain(new ChatError("novel", "the moon is full"))).toContain("the moon is full");
    expect(explain(new Error("internal detail"))).not.toContain("internal detail");
  });

  test("appears as a notice and can be dismissed", async () => {
    const { notices, Wrapper } = fakeChat();
    render(<NoticeList />, { wrapper: Wrapper });

    await act(() => notices.guard(() => Promise.reject(new ChatError("timeout", "x"))));
    const dismiss = await screen.findByRole("button", { name: "Dismiss" });
    const said = screen.getByRole("alert").textContent;
    await userEvent.click(dismiss);
    await vi.waitFor(() => expect(screen.getByRole("alert").textContent).toBe(""));

    expect(said).toContain("too long");
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

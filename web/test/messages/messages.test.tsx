import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Uploads } from "../../src/files/useUploads.ts";
import { Composer } from "../../src/messages/Composer.tsx";
import { MessageRow } from "../../src/messages/MessageRow.tsx";
import { fakeChat, message, outboxEntry, stored, stubBrowser } from "../fakes.tsx";

beforeEach(() => {
  stubBrowser();
  sessionStorage.clear();
});
afterEach(cleanup);

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

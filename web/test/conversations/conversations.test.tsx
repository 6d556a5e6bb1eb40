import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ConversationList } from "../../src/conversations/ConversationList.tsx";
import { NewConversationDialog } from "../../src/conversations/NewConversationDialog.tsx";
import { entry, fakeChat, stubBrowser } from "../fakes.tsx";

beforeEach(stubBrowser);
afterEach(cleanup);

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

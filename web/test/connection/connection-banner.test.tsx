import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, test, vi } from "vitest";
import { ConnectionBanner } from "../../src/connection/ConnectionBanner.tsx";
import { fakeChat } from "../fakes.tsx";

afterEach(() => {
  cleanup();
  vi.useRealTimers();
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

import { act, cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { ChatError } from "@parley/sdk";
import { afterEach, describe, expect, test, vi } from "vitest";
import { ToastList } from "../../src/controls/ToastList.tsx";
import { fakeChat } from "../fakes.tsx";

afterEach(cleanup);

describe("what went wrong", () => {
  test("appears as a toast and can be dismissed", async () => {
    const { toasts, Wrapper } = fakeChat();
    render(<ToastList />, { wrapper: Wrapper });

    await act(() => toasts.guard(() => Promise.reject(new ChatError("timeout", "x"))));
    const dismiss = await screen.findByRole("button", { name: "Dismiss" });
    const said = screen.getByRole("alert").textContent;
    await userEvent.click(dismiss);
    await vi.waitFor(() => expect(screen.getByRole("alert").textContent).toBe(""));

    expect(said).toContain("too long");
  });
});

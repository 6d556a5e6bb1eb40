import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Broken, BrokenMessage, ErrorBoundary } from "../../src/controls/ErrorBoundary.tsx";

beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation(() => undefined); // React reports what a boundary caught.
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

const fault = { isThere: true };

function Fragile() {
  if (fault.isThere) throw new Error("internal detail");
  return <p>whole again</p>;
}

test("a part that breaks says so and offers a reload; everything beside it lives on", () => {
  fault.isThere = true;

  render(
    <>
      <p>beside it</p>
      <ErrorBoundary fallback={(retry) => <Broken what="This conversation" onRetry={retry} />}>
        <Fragile />
      </ErrorBoundary>
    </>,
  );

  expect(screen.getByText("beside it")).toBeTruthy();
  expect(screen.getByRole("alert").textContent).toContain("This conversation could not be shown");
  expect(screen.getByRole("alert").textContent).not.toContain("internal detail");
  expect(screen.getByRole("button", { name: "Reload the page" })).toBeTruthy();
});

test("a message that breaks can be tried again", async () => {
  fault.isThere = true;
  render(
    <ErrorBoundary fallback={(retry) => <BrokenMessage onRetry={retry} />}>
      <Fragile />
    </ErrorBoundary>,
  );

  fault.isThere = false;
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));

  expect(screen.getByText("whole again")).toBeTruthy();
});

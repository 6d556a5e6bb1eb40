import { describe, expect, test } from "vitest";
import { bodies, bubble, say, screenshot, tick } from "./browser.mjs";
import { until } from "./people.mjs";
import { acquainted, goTo, isOnline, open } from "./stage.mjs";

describe("two browsers", () => {
  test("chat both ways, with ticks, and keep it over a reload", async () => {
    const a = await open("amara");
    const b = await open("ben");
    await a.getByRole("button", { name: "New" }).click();
    await a.getByRole("checkbox", { name: "Ben Lindqvist" }).check();
    await a.getByRole("button", { name: "Start", exact: true }).click();
    const text = `Hello Ben, it is ${Date.now()}`;

    await say(a, text);
    await tick(a, text, "Delivered").waitFor();
    const row = b.getByRole("link", { name: /Amara Okafor/ });
    await row.getByRole("img", { name: "1 unread" }).waitFor();
    await b.bringToFront();
    await row.click();
    await tick(a, text, "Read").waitFor();
    await say(b, `And hello Amara, ${text.length}`);
    await bubble(a, "And hello Amara").last().waitFor();
    await screenshot(a, "two-browsers-amara");
    await screenshot(b, "two-browsers-ben");
    await a.reload();
    await bubble(a, text).waitFor();
    await a.getByRole("link", { name: /Ben Lindqvist/ }).getByRole("img", { name: "online" }).waitFor();

    expect((await bodies(a)).slice(-2)).toEqual((await bodies(b)).slice(-2));
    expect([...a.complaints, ...b.complaints]).toEqual([]);
  });

  test("show that the other is typing", async () => {
    const { ann, b, id } = await acquainted();
    const a = await open(ann);
    await goTo(a, id);
    await a.getByRole("textbox", { name: "Message" }).waitFor();
    await isOnline(a);

    await until(async () => {
      b.keystroke(id);
      return a.locator(".typing", { hasText: "is typing" }).isVisible();
    });

    expect(await a.locator(".typing").textContent()).toContain("is typing");
  });
});

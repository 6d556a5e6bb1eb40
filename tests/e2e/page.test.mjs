import { describe, expect, test } from "vitest";
import { bodies, bubble, say, screenshot, seriousFindings, tick } from "./browser.mjs";
import { shown, someone, until } from "./people.mjs";
import { acquainted, goTo, open } from "./stage.mjs";

describe("history", () => {
  test("is read back upwards without a jump, and the newest is one click away", async () => {
    const { ann, b, id } = await acquainted();
    const count = 130;
    for (let number = 1; number <= count; number += 1) void b.send(id, { body: `line ${number}` });
    await until(() => b.outbox.get().entries.length === 0, 45_000);
    const a = await open(ann);
    await goTo(a, id);
    await bubble(a, `line ${count}`).waitFor();

    const list = a.getByRole("region", { name: "Messages" });
    await until(async () => {
      await list.evaluate((element) => element.scrollBy(0, -300));
      return (await a.getByText("This is the beginning.").count()) === 1;
    });
    const all = await bodies(a);
    await list.evaluate((element) => element.scrollTo(0, -element.scrollHeight));
    const top = () => bubble(a, "line 3").first().evaluate((element) => Math.round(element.getBoundingClientRect().top));
    await bubble(a, "line 3").first().waitFor();
    const before = await top();
    await b.send(id, { body: "one more" });
    await a.getByRole("button", { name: "1 new" }).waitFor();
    const after = await top();
    await screenshot(a, "history");
    await a.getByRole("button", { name: "1 new" }).click();
    await until(() => bubble(a, "one more").isVisible());

    expect(all).toEqual(Array.from({ length: count }, (_, index) => `line ${index + 1}`));
    expect(Math.abs(after - before)).toBeLessThanOrEqual(1);
  });
});

describe("the page", () => {
  test("works on a phone", async () => {
    const { ann, b, id } = await acquainted();
    await b.send(id, { body: "Are you on the train? 🚆" });
    const phone = await open(ann, { viewport: { width: 375, height: 700 }, isMobile: true, hasTouch: true });
    const row = phone.getByRole("link", { name: /Are you on the train/ });
    await row.waitFor();
    await screenshot(phone, "phone-list");

    await row.tap();
    await bubble(phone, "Are you on the train").waitFor();
    const listHidden = !(await phone.locator(".sidebar").isVisible());
    await phone.getByRole("textbox", { name: "Message" }).fill("Yes, ".repeat(40));
    await phone.getByRole("button", { name: "Send" }).tap();
    await tick(phone, "Yes, Yes", "Delivered").waitFor();
    await screenshot(phone, "phone-conversation");
    const overflow = await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    await phone.getByRole("link", { name: "Back to conversations" }).tap();
    await row.or(phone.getByRole("link", { name: /You: Yes/ })).waitFor();

    expect(listHidden).toBe(true);
    expect(overflow).toBeLessThanOrEqual(0);
  });

  test("works by keyboard alone", async () => {
    const { ann, b, id } = await acquainted();
    await b.send(id, { body: "keys only?" });
    const a = await open(ann);
    await a.getByRole("link", { name: /keys only/ }).waitFor();
    const focused = () => a.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent);
    const tabTo = async (name) => {
      for (let presses = 0; presses < 30; presses += 1) {
        await a.keyboard.press("Tab");
        if ((await focused())?.includes(name)) return;
      }
      throw new Error(`Tab never reached ${name}`);
    };

    await tabTo("keys only?");
    await a.keyboard.press("Enter");
    await bubble(a, "keys only?").waitFor();
    await until(async () => (await focused()) === "Message");
    await a.keyboard.type("keys only");
    await a.keyboard.press("Shift+Enter");
    await a.keyboard.type("indeed");
    await a.keyboard.press("Enter");
    await until(() => shown(b, id).includes("keys only\nindeed"));
    await tabTo("Details");
    await a.keyboard.press("Enter");
    await a.getByRole("dialog").waitFor();
    await screenshot(a, "keyboard-details");
    await a.keyboard.press("Escape");
    await a.getByRole("dialog").waitFor({ state: "detached" });

    expect(await focused()).toBe("Details");
  });

  test("follows the system into the dark, and axe finds nothing serious anywhere", async () => {
    const { ann, ben, b, id } = await acquainted();
    const group = await b.startGroup("Saturday walkers", [ann]);
    await b.send(group.id, { body: "Who brings the map?" });
    await b.send(id, { body: "Good evening" });
    const findings = {};
    for (const colorScheme of ["light", "dark"]) {
      const a = await open(ann, { colorScheme });
      await a.getByRole("link", { name: /Saturday walkers/ }).waitFor();
      findings[`${colorScheme} list`] = await seriousFindings(a);
      await goTo(a, id);
      await bubble(a, "Good evening").first().waitFor();
      await say(a, `Good evening in ${colorScheme}`);
      await tick(a, `Good evening in ${colorScheme}`, "Delivered").waitFor();
      findings[`${colorScheme} conversation`] = await seriousFindings(a);
      await screenshot(a, `conversation-${colorScheme}`);
      await goTo(a, group.id);
      await bubble(a, "Who brings the map?").waitFor();
      await a.getByRole("button", { name: "Details" }).click();
      await a.getByRole("dialog").waitFor();
      findings[`${colorScheme} group`] = await seriousFindings(a);
      await screenshot(a, `group-${colorScheme}`);
      await a.keyboard.press("Escape");
      await a.getByRole("button", { name: "New" }).click();
      findings[`${colorScheme} new`] = await seriousFindings(a);
      await a.keyboard.press("Escape");
      await a.getByRole("button", { name: "Switch user" }).click();
      await a.getByRole("button", { name: "Amara Okafor" }).waitFor();
      findings[`${colorScheme} login`] = await seriousFindings(a);
      await screenshot(a, `login-${colorScheme}`);
    }

    expect(ben).toBeTruthy();
    expect(Object.entries(findings).filter(([, found]) => found.length > 0)).toEqual([]);
  });

  test("says why a message was refused and lets it be deleted", async () => {
    const { ann, b, id } = await acquainted();
    const a = await open(ann);
    await goTo(a, id);
    await a.getByRole("textbox", { name: "Message" }).waitFor();
    await b.api.block(ann);

    await say(a, "hello?");
    await a.getByText("You cannot message this person.").waitFor();
    await screenshot(a, "refused");
    await a.getByRole("button", { name: "Delete" }).click();
    await bubble(a, "hello?").waitFor({ state: "detached" });

    expect(await bodies(a)).toEqual([]);
  });

  test("says what to do when a conversation is not there", async () => {
    const a = await open(someone("ann"));

    await goTo(a, "no-such-conversation");
    await a.getByText("This conversation is not available to you any more.").waitFor();

    expect(await a.getByRole("link", { name: "Back to the list" }).isVisible()).toBe(true);
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { bodies, bubble, launch, say, screenshot, seriousFindings, tick, visit } from "./browser.mjs";
import { baseUrl, clearFaults, client, fault, kill, online, shown, someone, tokenOf, until } from "./people.mjs";

let browser;
const contexts = [];
const clients = [];

beforeAll(async () => {
  browser = await launch();
});
afterEach(async () => {
  await clearFaults();
  await Promise.all(clients.splice(0).map((made) => made.stop()));
  await Promise.all(contexts.splice(0).map((context) => context.close()));
});
afterAll(() => browser.close());

async function open(userId, options) {
  const page = await visit(browser, userId, options);
  contexts.push(page.context());
  return page;
}

async function start(userId) {
  const made = await client(userId);
  clients.push(made);
  await online(made);
  return made;
}

const goTo = (page, conversationId) => page.evaluate((id) => (location.hash = `#/c/${encodeURIComponent(id)}`), conversationId);
const isOnline = (page) => page.locator(".app[data-connection=online]").waitFor();

/** Two people and their direct conversation; the second one is a client in this process. */
async function acquainted() {
  const [ann, ben] = [someone("ann"), someone("ben")];
  await Promise.all([tokenOf(ann), tokenOf(ben)]);
  const b = await start(ben);
  const { id } = await b.startDirect(ann);
  await b.open(id);
  return { ann, ben, b, id };
}

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

describe("a lost connection", () => {
  test("keeps what is typed offline, says so, and sends it once on return", async () => {
    const { ann, b, id } = await acquainted();
    const a = await open(ann);
    await goTo(a, id);
    await isOnline(a);
    await say(a, "before");
    await tick(a, "before", "Delivered").waitFor();

    await a.context().setOffline(true);
    await kill("signalr");
    await a.getByText("Offline: messages are sent when you are back.").waitFor();
    await say(a, "typed offline 1");
    await say(a, "typed offline 2");
    await tick(a, "typed offline 2", "Not sent yet").waitFor();
    await screenshot(a, "offline");
    await b.send(id, { body: "meanwhile" });
    await until(() => shown(b, id).includes("meanwhile"));
    await a.context().setOffline(false);
    await tick(a, "typed offline 2", "Delivered").waitFor({ timeout: 45_000 });
    await bubble(a, "meanwhile").waitFor();
    await until(() => shown(b, id).length === 4);

    expect(shown(b, id)).toEqual(["before", "meanwhile", "typed offline 1", "typed offline 2"]);
    expect(await bodies(a)).toEqual(["before", "meanwhile", "typed offline 1", "typed offline 2"]);
  });

  test("does not lose what was typed offline when the page is closed and opened again", async () => {
    const { ann, b, id } = await acquainted();
    const a = await open(ann);
    await goTo(a, id);
    await a.getByRole("textbox", { name: "Message" }).waitFor();
    await isOnline(a);
    // The service is out of reach while the site still serves the page.
    await a.context().route("**/api/**", (route) => route.abort());
    await fault({ service: "signalr", kind: "drop", operation: "client" });
    await a.getByText("Reconnecting…").waitFor();
    await say(a, "survives a reload");
    await tick(a, "survives a reload", "Not sent yet").waitFor();

    await a.close();
    const again = await a.context().newPage();
    await a.context().unroute("**/api/**");
    await again.goto(`${baseUrl()}/?as=${ann}#/c/${encodeURIComponent(id)}`);
    await tick(again, "survives a reload", "Delivered").waitFor({ timeout: 30_000 });

    expect(shown(b, id)).toEqual(["survives a reload"]);
  });

  test("fills the hole that lost pushes left", async () => {
    const { ann, b, id } = await acquainted();
    const a = await open(ann);
    await goTo(a, id);
    await a.getByRole("textbox", { name: "Message" }).waitFor();
    await isOnline(a);

    await fault({ service: "signalr", kind: "drop", operation: "deliver" });
    for (const body of ["lost 1", "lost 2", "lost 3"]) await b.send(id, { body });
    await until(() => b.outbox.get().entries.length === 0);
    await clearFaults();
    await b.send(id, { body: "found" });
    await bubble(a, "found").waitFor();

    expect(await bodies(a)).toEqual(["lost 1", "lost 2", "lost 3", "found"]);
  });

  test("is replaced by long polling where WebSockets are blocked", async () => {
    const { ann, b, id } = await acquainted();
    const page = await open(someone("nobody"));
    const context = page.context();
    await context.addInitScript(() => {
      globalThis.WebSocket = class {
        constructor() {
          throw new Error("blocked by the proxy");
        }
      };
    });
    await page.goto(`${baseUrl()}/?as=${ann}#/c/${encodeURIComponent(id)}`);
    await page.getByRole("textbox", { name: "Message" }).waitFor();
    await isOnline(page);

    await say(page, "by long polling");
    await tick(page, "by long polling", "Delivered").waitFor();
    await b.send(id, { body: "heard you" });
    await bubble(page, "heard you").waitFor();

    expect(await bodies(page)).toEqual(["by long polling", "heard you"]);
  });

  test("sends once when two tabs of one user are open", async () => {
    const { ann, b, id } = await acquainted();
    const first = await open(ann);
    const second = await first.context().newPage();
    await second.goto(`${baseUrl()}/?as=${ann}`);
    for (const page of [first, second]) await goTo(page, id);

    await say(second, "from the second tab");
    await tick(second, "from the second tab", "Delivered").waitFor();
    await bubble(first, "from the second tab").waitFor();
    await first.close();
    await say(second, "after the first was closed");
    await tick(second, "after the first was closed", "Delivered").waitFor();

    expect(shown(b, id)).toEqual(["from the second tab", "after the first was closed"]);
  });
});

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

describe("groups and files", () => {
  test("a group is made, renamed, grown and left", async () => {
    const a = await open("chiara");
    await a.getByRole("button", { name: "New" }).click();
    await a.getByRole("checkbox", { name: "Ben Lindqvist" }).check();
    await a.getByRole("checkbox", { name: "Daniel Reyes" }).check();
    const name = `Walkers ${Date.now()}`;
    await a.getByLabel("Name of the group").fill(name);
    await a.getByRole("button", { name: "Start group of 3" }).click();
    await a.getByRole("heading", { name }).waitFor();

    await a.getByRole("button", { name: "Details" }).click();
    const dialog = a.getByRole("dialog");
    await dialog.getByLabel("Name of the group").fill(`${name} and friends`);
    await dialog.getByRole("button", { name: "Rename" }).click();
    await dialog.getByRole("heading", { name: `${name} and friends` }).waitFor();
    await dialog.getByRole("button", { name: "Add people" }).click();
    await dialog.getByRole("checkbox", { name: "Elif Demir" }).check();
    await dialog.getByRole("button", { name: "Add", exact: true }).click();
    await dialog.getByRole("heading", { name: "4 members" }).waitFor();
    await dialog.getByRole("button", { name: "Remove Daniel Reyes" }).click();
    await dialog.getByRole("heading", { name: "3 members" }).waitFor();
    await screenshot(a, "group-details");
    await dialog.getByRole("button", { name: "Close" }).click();
    await a.getByText("Chiara Moretti added Elif Demir").first().waitFor();
    await screenshot(a, "group-system-messages");
    await a.getByRole("button", { name: "Details" }).click();
    await dialog.getByRole("button", { name: "Leave group" }).click();
    await dialog.getByRole("button", { name: "Leave: are you sure?" }).click();
    await a.getByRole("link", { name: new RegExp(name) }).waitFor({ state: "detached" });

    expect(a.complaints).toEqual([]);
  });

  test("a picture and a file are uploaded, shown and opened by the other", async () => {
    const { ann, ben, id } = await acquainted();
    const [a, b] = [await open(ann), await open(ben)];
    await goTo(a, id);
    await goTo(b, id);
    await a.getByRole("textbox", { name: "Message" }).waitFor();
    const picture = { name: "sunset.png", mimeType: "image/png", buffer: await a.screenshot() };
    const notes = { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("bring water") };

    await a.locator("input[type=file]").setInputFiles([picture, notes]);
    await a.getByText("notes.txt").waitFor();
    await until(async () => (await a.getByRole("progressbar").count()) === 0);
    await screenshot(a, "files-ready");
    await say(a, "Two files");
    await tick(a, "Two files", "Read").waitFor();
    const thumbnail = b.getByRole("button", { name: "Open picture sunset.png" });
    await thumbnail.locator("img").waitFor();
    await screenshot(b, "files-arrived");
    await thumbnail.click();
    await b.getByRole("dialog").getByRole("img", { name: "sunset.png" }).waitFor();
    await b.keyboard.press("Escape");
    const download = b.waitForEvent("download");
    await b.getByRole("button", { name: /notes.txt/ }).click();

    expect((await download).suggestedFilename()).toBe("notes.txt");
    expect([...a.complaints, ...b.complaints]).toEqual([]);
  });

  test("a file of a type that is not taken says so", async () => {
    const { ann, id } = await acquainted();
    const a = await open(ann);
    await goTo(a, id);
    await a.getByRole("textbox", { name: "Message" }).waitFor();

    const script = { name: "run.exe", mimeType: "application/x-msdownload", buffer: Buffer.from("MZ") };
    await a.locator("input[type=file]").setInputFiles([script]);

    expect(await a.getByRole("alert").filter({ hasText: "cannot be sent" }).first().textContent()).toContain("type");
  });
});

describe("blocks and notifications", () => {
  test("a block is put and lifted from the details, and still known after a reload", async () => {
    const { ann, b, id } = await acquainted();
    const a = await open(ann);
    await goTo(a, id);
    const details = async () => {
      await a.getByRole("button", { name: "Details" }).click();
      return a.getByRole("dialog");
    };

    await (await details()).getByRole("button", { name: "Block" }).click();
    await a.getByRole("dialog").getByRole("button", { name: "Unblock" }).waitFor();
    await b.send(id, { body: "hello?" });
    const refused = await until(() => b.outbox.get().entries.find((entry) => entry.failure));
    await a.reload();
    await (await details()).getByRole("button", { name: "Unblock" }).click();
    await a.getByRole("dialog").getByRole("button", { name: "Block", exact: true }).waitFor();
    await b.retry(refused.clientMessageId);
    await a.keyboard.press("Escape");
    await bubble(a, "hello?").waitFor();

    expect(refused.failure.code).toBe("blocked");
  });

  test("how much a notification tells is chosen, and where they cannot be had it is said", async () => {
    const a = await open(someone("ann"));
    await a.getByRole("button", { name: "Notifications" }).click();

    await a.getByRole("radio", { name: "Who wrote, and what" }).check();
    await a.reload();
    await a.getByRole("button", { name: "Notifications" }).click();
    await until(() => a.getByRole("radio", { name: "Who wrote, and what" }).isChecked());
    await a.getByRole("switch", { name: "Notify me on this device" }).click();
    await a.getByRole("alert").filter({ hasText: /Notifications are blocked|cannot receive/ }).waitFor();
    await screenshot(a, "notifications");
    await a.getByRole("button", { name: "Dismiss" }).click();

    expect(await seriousFindings(a)).toEqual([]);
  });

  test("a push shows a notification and a click on it opens the conversation", async () => {
    const { ann, id } = await acquainted();
    const a = await open(ann, { permissions: ["notifications"] });
    const worker = a.context().serviceWorkers()[0] ?? (await a.context().waitForEvent("serviceworker"));

    await a.evaluate(async () => {
      await navigator.serviceWorker.ready;
    });
    await until(() => worker.evaluate(() => Notification.permission === "granted"));
    await worker.evaluate((conversationId) => {
      const data = { conversationId, title: "Ben", body: "Are you there?" };
      self.dispatchEvent(new PushEvent("push", { data: JSON.stringify(data) }));
    }, id);
    const shownOnes = await until(async () => {
      const found = await worker.evaluate(async () =>
        (await self.registration.getNotifications()).map(({ title, body, tag }) => ({ title, body, tag })),
      );
      return found.length > 0 && found;
    });
    await worker.evaluate(async () => {
      const [notification] = await self.registration.getNotifications();
      self.dispatchEvent(new NotificationEvent("notificationclick", { notification }));
    });
    await until(() => a.url().includes(encodeURIComponent(id)));

    expect(shownOnes).toEqual([{ title: "Ben", body: "Are you there?", tag: id }]);
  });
});

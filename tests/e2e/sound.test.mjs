import { describe, expect, test } from "vitest";
import { bodies, bubble, say, screenshot, seriousFindings, tick } from "./browser.mjs";
import { clearFaults, client, fault, online, someone, until } from "./people.mjs";
import { acquainted, goTo, isOnline, keep, open } from "./stage.mjs";

const notes = { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("bring water") };
const program = { name: "run.exe", mimeType: "application/x-msdownload", buffer: Buffer.from("MZ") };

async function visiting() {
  const stage = await acquainted();
  const a = await open(stage.ann);
  await goTo(a, stage.id);
  await a.getByRole("textbox", { name: "Message" }).waitFor();
  await isOnline(a);
  return { ...stage, a };
}

const fileRow = (page, name) => page.locator(".upload", { hasText: name });
const uploaded = (page) => until(async () => (await page.getByRole("progressbar").count()) === 0);

describe("files in the composer", () => {
  test("that failed stay with their error when the message goes", async () => {
    const { a } = await visiting();
    await a.locator("input[type=file]").setInputFiles([notes, program]);
    await fileRow(a, "run.exe").getByRole("alert").waitFor();
    await uploaded(a);

    await say(a, "one of two");
    await tick(a, "one of two", /Sent|Delivered|Read/).waitFor();
    await screenshot(a, "file-failed-stays");

    expect(await bubble(a, "one of two").textContent()).toContain("notes.txt");
    expect(await fileRow(a, "notes.txt").count()).toBe(0);
    expect(await fileRow(a, "run.exe").getByRole("alert").textContent()).toContain("cannot be sent");
  });

  test("wait, as the draft does, while another conversation is looked at", async () => {
    const { ann, b, id, a } = await visiting();
    const group = await b.startGroup("Elsewhere", [ann]);
    await a.getByRole("textbox", { name: "Message" }).fill("half a thought");
    await a.locator("input[type=file]").setInputFiles([notes]);
    await fileRow(a, "notes.txt").waitFor();

    await goTo(a, group.id);
    await a.getByRole("heading", { name: "Elsewhere" }).waitFor();
    const elsewhere = await fileRow(a, "notes.txt").count();
    await goTo(a, id);
    await fileRow(a, "notes.txt").waitFor();
    await uploaded(a);
    await a.getByRole("textbox", { name: "Message" }).press("Enter");
    await tick(a, "half a thought", /Sent|Delivered|Read/).waitFor();

    expect(elsewhere).toBe(0);
    expect(await bubble(a, "half a thought").textContent()).toContain("notes.txt");
  });
});

describe("own messages", () => {
  test("are brought into view, also for somebody who reads far above", async () => {
    const { b, id, a } = await visiting();
    for (let number = 1; number <= 30; number += 1) void b.send(id, { body: `line ${number}` });
    await bubble(a, "line 30").waitFor();
    const list = a.getByRole("region", { name: "Messages" });
    await list.evaluate((element) => element.scrollTo(0, -element.scrollHeight));
    await a.getByRole("button", { name: "Newest" }).waitFor();

    await say(a, "here I am");
    await until(() => list.evaluate((element) => element.scrollTop > -60));
    await a.getByRole("button", { name: /Newest|new/ }).waitFor({ state: "detached" });
    await tick(a, "here I am", /Sent|Delivered|Read/).waitFor();

    expect(await bubble(a, "here I am").isVisible()).toBe(true);
  });

  test("that were refused stay where they were written, and go from there", async () => {
    const { ann, b, id, a } = await visiting();
    await b.send(id, { body: "before" });
    await bubble(a, "before").waitFor();
    await b.api.block(ann);
    await say(a, "refused");
    await a.locator(".failed-note").waitFor();
    await b.api.unblock(ann);
    await b.send(id, { body: "after" });
    await bubble(a, "after").waitFor();
    await say(a, "and now");
    await tick(a, "and now", /Sent|Delivered|Read/).waitFor();
    const kept = await bodies(a);
    await screenshot(a, "failed-in-place");

    await a.getByRole("button", { name: "Try again" }).click();
    await tick(a, "refused", /Sent|Delivered|Read/).waitFor();

    expect(kept).toEqual(["before", "refused", "after", "and now"]);
    expect(await bodies(a)).toEqual(["before", "after", "and now", "refused"]);
  });
});

describe("a block", () => {
  test("shows on both open pages at once, and so does its end", async () => {
    const { ben, id, a } = await visiting();
    const b = await open(ben);
    await goTo(b, id);
    await Promise.all([a, b].map((page) => page.locator(".subtitle-online").waitFor()));

    await a.getByRole("button", { name: "Details" }).click();
    await a.getByRole("dialog").getByRole("button", { name: "Block" }).click();
    const sure = a.getByRole("dialog").getByRole("button", { name: `Block ${ben}: are you sure?` });
    await sure.waitFor();
    const before = await b.locator(".subtitle-online").count();
    await sure.click();
    await a.keyboard.press("Escape");
    const bar = a.locator(".blocked-bar");
    await bar.waitFor();
    await Promise.all([a, b].map((page) => page.locator(".subtitle-online").waitFor({ state: "detached" })));
    await screenshot(a, "blocked");
    const composers = await a.getByRole("textbox", { name: "Message" }).count();
    const findings = await seriousFindings(a);
    await bar.getByRole("button", { name: "Unblock" }).click();
    await Promise.all([a, b].map((page) => page.locator(".subtitle-online").waitFor()));
    await say(b, "friends again");
    await bubble(a, "friends again").waitFor();

    expect([before, composers, findings]).toEqual([1, 0, []]);
    expect(await a.getByRole("textbox", { name: "Message" }).isVisible()).toBe(true);
  });
});

describe("a newcomer", () => {
  test("signs in by their own name, finds people, is found, and is written to", async () => {
    const name = `Zoë Ångström ${Date.now().toString(36)}`;
    const a = await open("grace");
    await a.getByRole("button", { name: "Switch user" }).click();
    await a.getByLabel("Or sign in by user id").fill(name);
    await screenshot(a, "login-newcomer");
    await a.getByRole("button", { name: "Sign in" }).click();
    await a.locator(".me-name", { hasText: name }).waitFor();
    await a.getByRole("button", { name: "New" }).click();
    await a.getByRole("checkbox", { name: "Jonas Weber" }).waitFor();
    await screenshot(a, "newcomer-finds");
    await a.keyboard.press("Escape");

    const j = await open("jonas");
    await j.getByRole("button", { name: "New" }).click();
    await j.getByRole("searchbox", { name: "Search people" }).fill(name.slice(0, 12));
    await j.getByRole("checkbox", { name }).check();
    await j.getByRole("button", { name: "Start", exact: true }).click();
    await j.getByRole("heading", { name }).waitFor();
    await say(j, "Welcome!");
    await a.getByRole("link", { name: /Welcome!/ }).click();
    await say(a, "Thank you, Jonas");
    await bubble(j, "Thank you, Jonas").waitFor();

    expect(await a.getByRole("heading", { name: "Jonas Weber" }).isVisible()).toBe(true);
    expect([...a.complaints, ...j.complaints]).toEqual([]);
  });

  test("who types the name of somebody who is there is that person", async () => {
    const a = await open(someone("ann"));
    await a.getByRole("button", { name: "Switch user" }).click();
    await a.getByRole("button", { name: "Amara Okafor" }).waitFor();

    await a.getByLabel("Or sign in by user id").fill("amara okafor");
    await a.getByRole("button", { name: "Sign in" }).click();

    await a.locator(".me-name", { hasText: "Amara Okafor" }).waitFor();
  });
});

describe("stopping in Node", () => {
  test("waits for what an outage holds back, and says what it could not send", async () => {
    const { ann, b, id } = await acquainted();
    const script = await client(ann);
    const cutShort = keep(await client(ann));
    await Promise.all([script, cutShort].map(online));
    await fault({ service: "cosmos", kind: "error", status: 503 });

    await script.send(id, { body: "through the outage" });
    await cutShort.send(id, { body: "no time left" });
    const unsent = await cutShort.stop({ flushMs: 500 });
    const stopping = script.stop({ flushMs: 60_000 });
    await clearFaults();
    const left = await stopping;
    await until(() => b.timeline(id).get().items.some((item) => item.message?.body === "through the outage"));

    expect(unsent.map(({ body }) => body)).toEqual(["no time left"]);
    expect(left).toEqual([]);
  });
});

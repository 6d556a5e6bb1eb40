import { describe, expect, test } from "vitest";
import { bubble, say, screenshot, seriousFindings, tick } from "./browser.mjs";
import { someone, until } from "./people.mjs";
import { acquainted, goTo, open } from "./stage.mjs";

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
    await a.getByRole("dialog").getByRole("button", { name: /^Block .*: are you sure\?$/ }).click();
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
    const shownOnes = await worker.evaluate(async (conversationId) => {
      const { registration } = self;
      const show = registration.showNotification.bind(registration);
      // Not listed before it is shown: the browser would drop it.
      const shown = new Promise((resolve) => {
        registration.showNotification = (...notification) => {
          resolve(show(...notification));
          return shown;
        };
      });
      const data = { conversationId, title: "Ben", body: "Are you there?" };
      self.dispatchEvent(new PushEvent("push", { data: JSON.stringify(data) }));
      await shown;
      return (await registration.getNotifications()).map(({ title, body, tag }) => ({ title, body, tag }));
    }, id);
    await worker.evaluate(async () => {
      const [notification] = await self.registration.getNotifications();
      self.dispatchEvent(new NotificationEvent("notificationclick", { notification }));
    });
    await until(() => a.url().includes(encodeURIComponent(id)));

    expect(shownOnes).toEqual([{ title: "Ben", body: "Are you there?", tag: id }]);
  });
});

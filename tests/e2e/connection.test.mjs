import { describe, expect, test } from "vitest";
import { bodies, bubble, say, screenshot, tick } from "./browser.mjs";
import { baseUrl, clearFaults, fault, kill, shown, someone, until } from "./people.mjs";
import { acquainted, goTo, isOnline, open } from "./stage.mjs";

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

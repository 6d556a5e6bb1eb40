import { describe, expect, test } from "vitest";
import { bubble } from "./browser.mjs";
import { client, someone, tokenOf, until } from "./people.mjs";
import { acquainted, goTo, isOnline, keep, open } from "./stage.mjs";

const SLOWDOWN = 6;

/** A window as on a slow phone: everything that its page computes takes `SLOWDOWN` times as long. */
async function openOnSlowPhone(userId, conversationId) {
  const page = await open(userId);
  await goTo(page, conversationId);
  await page.getByRole("textbox", { name: "Message" }).waitFor();
  await isOnline(page);
  const session = await page.context().newCDPSession(page);
  await session.send("Emulation.setCPUThrottlingRate", { rate: SLOWDOWN });
  return page;
}

/** Post `count` messages as fast as the service takes them, `atOnce` at a time. */
async function flood(sender, conversationId, count, atOnce = 3) {
  let next = 0;
  const post = async (body) => {
    const clientMessageId = crypto.randomUUID();
    await until(() => sender.api.postMessage({ conversationId, clientMessageId, body }), 120_000);
  };
  const lane = async () => {
    while (next < count) await post(`${sender.userId} says ${(next += 1)}`);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

/** What the page looks like: whether it is there at all, what of it broke, and its last message. */
const look = (page) =>
  page.evaluate(() => ({
    isThere: document.querySelector(".app") !== null,
    broken: [...document.querySelectorAll("[data-broken]")].map((element) => element.textContent),
    last: [...document.querySelectorAll(".bubble-text")].at(-1)?.textContent ?? null,
  }));

/** Watch the page until it shows `last` as its last message, or is seen to be broken. */
async function shownUntil(page, last) {
  const seen = await until(async () => {
    const now = await look(page);
    return (now.last === last || !now.isThere || now.broken.length > 0) && now;
  }, 120_000);
  return { ...seen, complaints: page.complaints };
}

describe("a slow phone", () => {
  // 250 messages is what five members may send at once here, and what one may in 9 s with the limits as they come.
  test("shows everything that the members of a group send as fast as their limits allow", async () => {
    const { ann, b } = await acquainted();
    const names = ["cleo", "dan", "eve", "finn"].map(someone);
    await Promise.all(names.map(tokenOf));
    const group = await b.startGroup("Crowd", [ann, ...names]);
    const senders = [b, ...(await Promise.all(names.map(async (name) => keep(await client(name)))))];
    const page = await openOnSlowPhone(ann, group.id);

    await Promise.all(senders.map((sender) => flood(sender, group.id, 50)));
    await b.send(group.id, { body: "that was all" });
    const seen = await shownUntil(page, "that was all");

    expect(seen).toEqual({ isThere: true, broken: [], last: "that was all", complaints: [] });
    await bubble(page, "that was all").waitFor();
  }, 240_000);
});

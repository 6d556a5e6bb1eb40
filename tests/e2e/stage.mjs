import { afterAll, afterEach, beforeAll } from "vitest";
import { launch, visit } from "./browser.mjs";
import { clearFaults, client, online, someone, tokenOf } from "./people.mjs";

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

/** A window signed in as `userId`; closed after the test. */
export async function open(userId, options) {
  const page = await visit(browser, userId, options);
  contexts.push(page.context());
  return page;
}

/** Have `made`, a client in this process, stopped after the test. */
export function keep(made) {
  clients.push(made);
  return made;
}

/** Two people and their direct conversation; the second one is a client in this process. */
export async function acquainted() {
  const [ann, ben] = [someone("ann"), someone("ben")];
  await Promise.all([tokenOf(ann), tokenOf(ben)]);
  const b = keep(await client(ben));
  await online(b);
  const { id } = await b.startDirect(ann);
  await b.open(id);
  return { ann, ben, b, id };
}

export const goTo = (page, conversationId) =>
  page.evaluate((id) => (location.hash = `#/c/${encodeURIComponent(id)}`), conversationId);

export const isOnline = (page) => page.locator(".app[data-connection=online]").waitFor();

import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { baseUrl } from "./people.mjs";

const OUTPUT = fileURLToPath(new URL("../output/", import.meta.url));
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--disable-quic",
    ],
  });
}

/** A window of its own browser profile, signed in as `userId`; what its console complains of is kept. */
export async function visit(browser, userId, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, ...options });
  const page = await context.newPage();
  page.complaints = [];
  page.on("console", (entry) => entry.type() === "error" && page.complaints.push(entry.text()));
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  await page.goto(`${baseUrl()}/?as=${encodeURIComponent(userId)}`);
  await page.getByRole("heading", { name: "Parley" }).waitFor();
  return page;
}

export async function screenshot(page, name) {
  await mkdir(OUTPUT, { recursive: true });
  await page.screenshot({ path: `${OUTPUT}${name}.png` });
}

/** What axe finds that is serious or worse, one line each. */
export async function seriousFindings(page) {
  await page.addScriptTag({ content: await readFile(AXE, "utf8") }).catch(async () => {
    await page.evaluate(await readFile(AXE, "utf8"));
  });
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).join(", ")}`);
}

/** The bodies of the messages on the page, in their order. */
export const bodies = (page) => page.locator(".bubble-text").allTextContents();

export async function say(page, text) {
  const field = page.getByRole("textbox", { name: "Message" });
  await field.fill(text);
  await field.press("Enter");
}

export const bubble = (page, text) => page.locator(".bubble", { hasText: text });

export const tick = (page, text, label) => bubble(page, text).getByRole("img", { name: label });

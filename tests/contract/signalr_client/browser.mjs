// Opens a page in headless Chromium and prints what it found out, as one line of JSON.
// Arguments: the page's address, the browser's path.
import { chromium } from "playwright-core";

const [address, executablePath] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
try {
  const page = await browser.newPage();
  await page.goto(address);
  const result = await page.waitForFunction(() => window.outcome, null, { timeout: 20_000 });
  process.stdout.write(JSON.stringify(await result.jsonValue()) + "\n");
} finally {
  await browser.close();
}

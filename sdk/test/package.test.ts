/// <reference types="node" />
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const SDK = fileURLToPath(new URL("..", import.meta.url));
const MINUTES = 180_000;
const run = promisify(execFile);
const require = createRequire(import.meta.url);

interface Manifest {
  version: string;
  dependencies?: Record<string, string>;
}

let project = "";

/** Copy a package and all it needs from the workspace, so that nothing is asked of a registry. */
async function copyInstalled(name: string, from: string, copied: Record<string, string>): Promise<void> {
  const folder = packageFolder(name, from);
  const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Manifest;
  if (copied[name]) return;
  copied[name] = manifest.version;
  const target = join(project, "node_modules", name);
  await mkdir(dirname(target), { recursive: true });
  await cp(folder, target, { recursive: true, dereference: true });
  for (const needed of Object.keys(manifest.dependencies ?? {})) await copyInstalled(needed, folder, copied);
}

/** Where Node finds a package from a folder: in the nearest `node_modules` above. */
function packageFolder(name: string, from: string): string {
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    if (existsSync(join(candidate, "package.json"))) return candidate;
  }
  throw new Error(`${name} is not installed`);
}

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "parley-consumer-"));
  await run("npm", ["pack", "--silent", "--pack-destination", project], { cwd: SDK });
  const tarball = (await readdir(project)).find((name) => name.endsWith(".tgz"));
  const dependencies: Record<string, string> = {};
  await copyInstalled("@microsoft/signalr", SDK, dependencies);
  await writeFile(join(project, "package.json"), JSON.stringify({ private: true, type: "module", dependencies }));
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", "--ignore-scripts", `./${tarball}`], { cwd: project });
}, MINUTES);
afterAll(() => rm(project, { recursive: true, force: true }));

test("the packed SDK is installed from its tarball and imported by Node", async () => {
  const script = `
    import { ChatClient, ChatError } from "@parley/sdk";
    const chat = new ChatClient({ baseUrl: "http://127.0.0.1:9", userId: "ann", tokenProvider: async () => "token" });
    console.log(typeof chat.send, typeof chat.flush, new ChatError("network", "cut").code);`;

  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script], { cwd: project });

  expect(stdout.trim()).toBe("function function network");
}, MINUTES);

test("its types hold in a strict project, by either way of resolving", async () => {
  const source = `
    import { ChatClient, type TimelineSnapshot } from "@parley/sdk";
    export async function say(chat: ChatClient): Promise<number> {
      const { id } = await chat.startDirect("ben");
      const shown: TimelineSnapshot = chat.timeline(id).get();
      const unsent = await chat.stop();
      return shown.items.length + unsent.length;
    }
    // @ts-expect-error: a client needs to know who it is for
    new ChatClient({ baseUrl: "" });`;
  await writeFile(join(project, "consumer.ts"), source);
  const tsc = require.resolve("typescript/bin/tsc");
  const check = async (...how: string[]) => {
    const options = ["--noEmit", "--strict", "--target", "es2022", "--lib", "es2022,dom", ...how];
    const failed = (error: { stdout: string }) => error.stdout;
    return run(process.execPath, [tsc, ...options, "consumer.ts"], { cwd: project }).then(({ stdout }) => stdout, failed);
  };

  const complaints = [await check("--module", "nodenext"), await check("--module", "esnext", "--moduleResolution", "bundler")];

  expect(complaints).toEqual(["", ""]);
}, MINUTES);

test("it holds what is needed and nothing of the workshop", async () => {
  const folder = join(project, "node_modules", "@parley", "sdk");

  expect((await readdir(folder)).sort()).toEqual(["README.md", "dist", "package.json"]);
});

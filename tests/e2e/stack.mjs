import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PYTHON = join(ROOT, ".venv", "bin", "python");
const PORTS = 12;
const READY_MS = 90_000;
const STOP_MS = 8_000;
// Low enough that a test sees a heartbeat find a lost push, and a sender who is too fast.
const SETTINGS = {
  CHAT_HEARTBEAT_SECONDS: "2",
  CHAT_RECEIPT_FLUSH_SECONDS: "1",
  CHAT_LIMIT_MESSAGES: "10/s:50",
};

/** Vitest's global set-up: the page as it is now, unless make has just built it, and one stack for all files, unless `PARLEY_URL` names one that runs already. */
export default async function setup(project) {
  if (process.env.PARLEY_URL) {
    project.provide("baseUrl", process.env.PARLEY_URL);
    return undefined;
  }
  if (!process.env.PARLEY_PAGE_IS_BUILT) await promisify(execFile)("npm", ["run", "build", "-w", "web"], { cwd: ROOT });
  const directory = await mkdtemp(join(tmpdir(), "parley-e2e-"));
  const port = await freePorts();
  const child = spawn(PYTHON, ["-m", "local"], {
    cwd: ROOT,
    env: { ...process.env, ...SETTINGS, PORT: String(port), CHAT_LOCAL_DIR: directory },
    stdio: ["ignore", "pipe", "pipe"],
  });
  await ready(child, `ready http://127.0.0.1:${port}`);
  project.provide("baseUrl", `http://127.0.0.1:${port}`);
  return async () => {
    await stopped(child);
    await rm(directory, { recursive: true, force: true });
  };
}

function ready(child, line) {
  let output = "";
  return new Promise((resolve, reject) => {
    const fail = (why) => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      reject(new Error(`the stack ${why}; its output:\n${output}`));
    };
    const timer = setTimeout(() => fail("was not ready in time"), READY_MS);
    const hear = (chunk) => {
      output += chunk;
      if (!output.split("\n").includes(line)) return;
      clearTimeout(timer);
      child.removeListener("exit", ended);
      resolve();
    };
    const ended = (code) => fail(`ended with status ${code}`);
    child.on("exit", ended);
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
  });
}

function stopped(child) {
  if (child.exitCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    child.on("exit", () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill("SIGTERM");
  });
}

/** The first of a block of ports that are all free: below those of tests/support/ports.py and of the kernel. */
async function freePorts() {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const first = 16_000 + PORTS * Math.floor(Math.random() * 300);
    const free = await Promise.all(Array.from({ length: PORTS }, (_, index) => isFree(first + index)));
    if (free.every(Boolean)) return first;
  }
  throw new Error("there is no block of free ports");
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

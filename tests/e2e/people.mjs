import { inject } from "vitest";
import { ChatClient, MemoryOutboxStorage } from "@parley/sdk";

export const baseUrl = () => inject("baseUrl");

/** Wait until `look` returns something, asking again and again; the last failure is the test's. */
export async function until(look, ms = 20_000) {
  const end = Date.now() + ms;
  for (;;) {
    let failure;
    try {
      const found = await look();
      if (found) return found;
    } catch (error) {
      failure = error;
    }
    if (Date.now() > end) throw failure ?? new Error(`nothing after ${ms} ms: ${look}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

async function post(path, body) {
  const response = await fetch(baseUrl() + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

export async function tokenOf(userId) {
  return (await post("/dev/token", { userId })).token;
}

/** Write one message by HTTP, as another program of the token's user; it may be refused. */
export async function write(token, conversationId) {
  const response = await fetch(`${baseUrl()}/api/conversations/${conversationId}/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({ clientMessageId: crypto.randomUUID(), body: "beside" }),
  });
  await response.arrayBuffer();
}

export const fault = (wanted) => post("/dev/faults", wanted);

export async function clearFaults() {
  await fetch(`${baseUrl()}/dev/faults`, { method: "DELETE" });
}

/** The process ids that the supervisor tells, by name. */
export async function processes() {
  const { items } = await (await fetch(`${baseUrl()}/dev/processes`)).json();
  return new Map(items.map((item) => [item.name, item]));
}

export async function kill(name) {
  const found = (await processes()).get(name);
  process.kill(found.pid, "SIGKILL");
  return found;
}

/** A user of this run alone, so that no test sees what another wrote. */
let count = 0;
export function someone(name) {
  count += 1;
  return `${name}-${process.pid}-${Date.now().toString(36)}-${count}`;
}

/** A real client in this process, started. */
export async function client(userId, options = {}) {
  let token = await tokenOf(userId);
  const made = new ChatClient({
    baseUrl: baseUrl(),
    userId,
    tokenProvider: async ({ refresh }) => {
      if (refresh) token = await tokenOf(userId);
      return token;
    },
    storage: new MemoryOutboxStorage(),
    ...options,
  });
  await made.start();
  return made;
}

export const online = (made) => until(() => made.connection.get().phase === "online");

/** What a client shows of a conversation: bodies by sequence. */
export function shown(made, conversationId) {
  const { items } = made.timeline(conversationId).get();
  return items.map((item) => (item.kind === "stored" ? item.message.body : `(${item.kind}) ${item.entry.body}`));
}

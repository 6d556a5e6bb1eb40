// What every load script needs: tokens, connections, conversations, percentiles.
import { randomUUID } from "node:crypto";
import * as signalR from "@microsoft/signalr";

export const baseUrl = process.env.BASE_URL;

export async function tokenOf(userId) {
  const answer = await fetch(`${baseUrl}/dev/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ userId }),
  });
  return (await answer.json()).token;
}

export async function api(token, method, path, body) {
  const answer = await fetch(`${baseUrl}/api${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.status === 204 ? null : answer.json();
}

export class Person {
  constructor(userId, token) {
    this.userId = userId;
    this.token = token;
  }

  static async named(userId) {
    return new Person(userId, await tokenOf(userId));
  }

  async connect(on = {}) {
    this.hub = new signalR.HubConnectionBuilder()
      .withUrl(`${baseUrl}/api`, {
        accessTokenFactory: () => this.token,
        headers: { "x-ms-signalr-userid": this.userId },
      })
      .configureLogging(signalR.LogLevel.None)
      .build();
    const silent = ["messagePosted", "receiptAdvanced", "presenceChanged", "typing"];
    const rare = ["conversationChanged", "conversationRemoved", "attachmentChanged"];
    for (const event of [...silent, ...rare]) this.hub.on(event, on[event] ?? (() => {}));
    await this.hub.start();
    return this;
  }

  async send(conversationId, body = "A message as people write them: a line or so.") {
    const clientMessageId = randomUUID();
    const began = performance.now();
    const answer = await this.hub.invoke("sendMessage", { conversationId, clientMessageId, body });
    if (!answer.ok) throw new Error(JSON.stringify(answer.error));
    return { clientMessageId, began, acknowledged: performance.now(), message: answer.message };
  }
}

export function percentiles(values) {
  const sorted = [...values].sort((one, other) => one - other);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  const round = (value) => Math.round(value * 10) / 10;
  return { count: sorted.length, p50: round(at(0.5)), p95: round(at(0.95)), p99: round(at(0.99)) };
}

/** Names are of this run alone, so that runs on one stack do not meet. */
export const unique = (name) => `${name}-${process.pid}`;

export const metrics = async () => (await fetch(`${baseUrl}/dev/metrics`)).json();

/** Wait until `holds` does, or fail after `ms`. */
export async function until(holds, ms = 30_000) {
  const end = Date.now() + ms;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`still not so after ${ms} ms: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export function report(result) {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

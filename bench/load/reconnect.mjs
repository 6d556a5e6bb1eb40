// 200 clients lose SignalR at once: how long until all are back, with what was said meanwhile.
import { randomUUID } from "node:crypto";
import * as signalR from "@microsoft/signalr";
import { Person, api, baseUrl, report, unique, until } from "./people.mjs";

const clients = Number(process.env.CLIENTS ?? 200);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class Client {
  constructor(person) {
    this.person = person;
    this.positions = {};
    this.back = false;
  }

  async connect() {
    this.hub = new signalR.HubConnectionBuilder()
      .withUrl(`${baseUrl}/api`, {
        accessTokenFactory: () => this.person.token,
        headers: { "x-ms-signalr-userid": this.person.userId },
      })
      .configureLogging(signalR.LogLevel.None)
      .withAutomaticReconnect({ nextRetryDelayInMilliseconds: () => Math.random() * 1000 })
      .build();
    const events = ["messagePosted", "receiptAdvanced", "presenceChanged", "conversationChanged"];
    for (const event of events) this.hub.on(event, () => {});
    this.hub.onreconnected(() => this.sync());
    await this.hub.start();
    await this.sync();
    this.back = false;
  }

  async sync() {
    const { items } = await api(this.person.token, "POST", "/sync", { positions: this.positions });
    for (const item of items) {
      if (!item.complete) throw new Error("a gap was not filled");
      this.positions[item.conversationId] = item.latestSequence;
    }
    this.back = true;
  }
}

const pairs = [];
for (let number = 0; number < clients / 2; number += 1) {
  const one = new Client(await Person.named(unique(`one${number}`)));
  const other = new Client(await Person.named(unique(`other${number}`)));
  const made = { kind: "direct", memberIds: [other.person.userId] };
  const conversation = await api(one.person.token, "POST", "/conversations", made);
  await Promise.all([one.connect(), other.connect()]);
  pairs.push({ one, other, conversation });
}

const { items } = await (await fetch(`${baseUrl}/dev/processes`)).json();
process.kill(items.find((item) => item.name === "signalr").pid, "SIGKILL");
const began = performance.now();

// What is said while SignalR is gone is stored; the call fails until a push can leave again.
async function say({ one, conversation }) {
  const body = { clientMessageId: randomUUID(), body: "while you were away" };
  for (let retry = false; ; retry = true) {
    const path = `/conversations/${conversation.id}/messages`;
    const done = await api(one.person.token, "POST", path, { ...body, retry }).catch(() => null);
    if (done) return;
    await pause(100);
  }
}

const saying = Promise.all(pairs.map(say));
const everyone = pairs.flatMap(({ one, other }) => [one, other]);
await until(() => everyone.every((client) => client.back), 60_000);
const allBack = performance.now() - began;
await saying;
await Promise.all(everyone.map((client) => client.sync()));
const filled = performance.now() - began;
const whole = pairs.every(
  ({ one, other, conversation }) =>
    one.positions[conversation.id] === 1 && other.positions[conversation.id] === 1,
);
report({ clients, allBackMs: Math.round(allBack), filledMs: Math.round(filled), whole });
process.exit(0);

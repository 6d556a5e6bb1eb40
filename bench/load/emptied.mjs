// W1 while Redis is emptied and killed again and again: nothing may be lost, doubled or skipped.
import { randomUUID } from "node:crypto";
import net from "node:net";
import { Person, api, baseUrl, report, unique } from "./people.mjs";

const pairs = Number(process.env.PAIRS ?? 20);
const seconds = Number(process.env.SECONDS ?? 120);
const every = Number(process.env.EVERY_SECONDS ?? 20);
const redisPort = Number(process.env.REDIS_PORT);

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function emptyAndKillRedis() {
  await new Promise((resolve, reject) => {
    const socket = net.connect(redisPort, "127.0.0.1", () => socket.write("FLUSHALL\r\n"));
    socket.once("data", () => resolve(socket.end()));
    socket.once("error", reject);
  });
  const { items } = await (await fetch(`${baseUrl}/dev/processes`)).json();
  process.kill(items.find((item) => item.name === "redis").pid, "SIGKILL");
}

const talking = [];
for (let number = 0; number < pairs; number += 1) {
  const one = await Person.named(unique(`one${number}`));
  const other = await Person.named(unique(`other${number}`));
  const made = { kind: "direct", memberIds: [other.userId] };
  const conversation = await api(one.token, "POST", "/conversations", made);
  await one.connect();
  await other.connect();
  talking.push({ one, conversation, acknowledged: [] });
}

const end = performance.now() + seconds * 1000;
let emptied = 0;
let retries = 0;

async function say({ one, conversation, acknowledged }) {
  const clientMessageId = randomUUID();
  for (let retry = false; ; retry = true) {
    const asked = { conversationId: conversation.id, clientMessageId, body: "said once", retry };
    const answer = await one.hub.invoke("sendMessage", asked).catch(() => ({ ok: false }));
    if (answer.ok) return acknowledged.push(clientMessageId);
    retries += 1;
    await pause(50);
  }
}

async function strike() {
  while (performance.now() + every * 1000 < end) {
    await pause(every * 1000);
    await emptyAndKillRedis();
    emptied += 1;
  }
}

async function talk(pair) {
  while (performance.now() < end) {
    await say(pair);
    await pause(20);
  }
}

await Promise.all([strike(), ...talking.map(talk)]);

const found = { messages: 0, lost: 0, doubled: 0, gaps: 0 };
for (const { one, conversation, acknowledged } of talking) {
  const stored = [];
  for (let after = 0; ; after = stored.at(-1).sequence) {
    const path = `/conversations/${conversation.id}/messages?limit=100&after=${after}`;
    const { items } = await api(one.token, "GET", path);
    stored.push(...items);
    if (items.length < 100) break;
  }
  const ids = stored.map((message) => message.clientMessageId);
  const kept = new Set(ids);
  found.messages += ids.length;
  found.lost += acknowledged.filter((id) => !kept.has(id)).length;
  found.doubled += ids.length - kept.size;
  found.gaps += stored.filter((message, index) => message.sequence !== index + 1).length;
}
report({ seconds, emptied, retries, ...found });
await Promise.all(talking.map(({ one }) => one.hub.stop()));
process.exit(0);

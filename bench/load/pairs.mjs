// W1: two-member conversations in closed loop, every member connected, receipts on.
import { randomUUID } from "node:crypto";
import { Person, api, metrics, percentiles, report, unique, until } from "./people.mjs";

const pairs = Number(process.env.PAIRS ?? 20);
const total = Number(process.env.MESSAGES ?? 3000);
const acknowledge = process.env.RECEIPTS !== "off";

const sentAt = new Map();
const acknowledgedMs = [];
const deliveredMs = [];

async function pair(number) {
  const [one, other] = await Promise.all([
    Person.named(unique(`one${number}`)),
    Person.named(unique(`other${number}`)),
  ]);
  const conversation = await api(one.token, "POST", "/conversations", {
    kind: "direct",
    memberIds: [other.userId],
  });
  await one.connect();
  await other.connect({
    messagePosted: ({ message }) => {
      const began = sentAt.get(message.clientMessageId);
      if (began !== undefined) deliveredMs.push(performance.now() - began);
      if (acknowledge) {
        const up = { conversationId: conversation.id, read: message.sequence };
        other.hub.invoke("acknowledge", up).catch(() => {});
      }
    },
  });
  return { one, other, conversation };
}

const talking = [];
for (let number = 0; number < pairs; number += 1) talking.push(await pair(number));
for (const { one, conversation } of talking) await one.send(conversation.id); // warm every path

const before = await metrics();
const began = performance.now();
let left = total;
await Promise.all(
  talking.map(async ({ one, conversation }) => {
    while (left > 0) {
      left -= 1;
      const clientMessageId = randomUUID();
      const start = performance.now();
      sentAt.set(clientMessageId, start);
      const body = "A message as people write them: a line or so.";
      const asked = { conversationId: conversation.id, clientMessageId, body };
      const answer = await one.hub.invoke("sendMessage", asked);
      if (!answer.ok) throw new Error(JSON.stringify(answer.error));
      acknowledgedMs.push(performance.now() - start);
    }
  }),
);
const seconds = (performance.now() - began) / 1000;
await until(() => deliveredMs.length >= total);
const after = await metrics();
report({
  messages: total,
  messagesPerSecond: Math.round((total / seconds) * 10) / 10,
  sendToAcknowledgedMs: percentiles(acknowledgedMs),
  sendToDeliveredMs: percentiles(deliveredMs),
  before,
  after,
});
await Promise.all(talking.flatMap(({ one, other }) => [one.hub.stop(), other.hub.stop()]));

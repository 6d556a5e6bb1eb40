// W2: one group of 100, all online, one sender in closed loop.
import { Person, api, metrics, percentiles, report, unique, until } from "./people.mjs";

const members = Number(process.env.MEMBERS ?? 100);
const total = Number(process.env.MESSAGES ?? 200);

const people = [];
for (let number = 0; number < members; number += 1) {
  people.push(await Person.named(unique(`member${number}`)));
}
const [sender, ...others] = people;
let deliveries = 0;
const lastMs = new Map();
for (const person of people) {
  await person.connect({
    messagePosted: ({ message }) => {
      deliveries += 1;
      lastMs.set(message.sequence, performance.now());
    },
  });
}
const conversation = await api(sender.token, "POST", "/conversations", {
  kind: "group",
  title: "Everyone",
  memberIds: others.map((person) => person.userId),
});
await sender.send(conversation.id);
await until(() => deliveries >= members);
deliveries = 0;

const before = await metrics();
const began = performance.now();
const acknowledgedMs = [];
const startMs = new Map();
for (let number = 0; number < total; number += 1) {
  const sent = await sender.send(conversation.id);
  acknowledgedMs.push(sent.acknowledged - sent.began);
  startMs.set(sent.message.sequence, sent.began);
}
await until(() => deliveries >= total * members);
const seconds = (performance.now() - began) / 1000;
const after = await metrics();
const everyoneMs = [...startMs].map(([sequence, start]) => lastMs.get(sequence) - start);
report({
  members,
  messages: total,
  messagesPerSecond: Math.round((total / seconds) * 10) / 10,
  deliveriesPerSecond: Math.round((total * members) / seconds),
  sendToAcknowledgedMs: percentiles(acknowledgedMs),
  sendToEveryoneMs: percentiles(everyoneMs),
  before,
  after,
});
await Promise.all(people.map((person) => person.hub.stop()));

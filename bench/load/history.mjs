// W3: paging back through a long conversation; and the inbox of few and of many conversations.
import { randomUUID } from "node:crypto";
import { Person, api, metrics, report, unique } from "./people.mjs";

const total = Number(process.env.MESSAGES ?? 5000);
const many = Number(process.env.CONVERSATIONS ?? 1000);
const page = 50;

async function post(person, conversationId, count) {
  let left = count;
  const writer = async () => {
    while (left > 0) {
      left -= 1;
      const body = { clientMessageId: randomUUID(), body: "A message as people write them." };
      await api(person.token, "POST", `/conversations/${conversationId}/messages`, body);
    }
  };
  await Promise.all(Array.from({ length: 8 }, writer));
}

async function readBack(reader, conversationId) {
  let before = total + 1;
  let read = 0;
  while (before > 1) {
    const path = `/conversations/${conversationId}/messages?limit=${page}&before=${before}`;
    const { items } = await api(reader.token, "GET", path);
    read += items.length;
    before = items[0].sequence;
  }
  return read;
}

async function inboxCost(owner, pages) {
  await api(owner.token, "GET", "/conversations?limit=20"); // warm
  const before = await metrics();
  for (let number = 0; number < pages; number += 1) {
    await api(owner.token, "GET", "/conversations?limit=20");
  }
  const after = await metrics();
  const per = (of) => (of(after) - of(before)) / pages;
  return {
    cosmosRequests: per((m) => m.cosmos.requests),
    requestUnits: per((m) => m.cosmos.requestUnits),
    redisRoundTrips: per((m) => m.redis.roundTrips),
  };
}

async function ownerOf(count, name) {
  const owner = await Person.named(unique(name));
  for (let number = 0; number < count; number += 1) {
    const other = await Person.named(unique(`${name}-${number}`));
    const made = { kind: "direct", memberIds: [owner.userId] };
    const conversation = await api(other.token, "POST", "/conversations", made);
    await post(other, conversation.id, 1);
  }
  return owner;
}

const writer = await Person.named(unique("writer"));
const reader = await Person.named(unique("reader"));
const conversation = await api(writer.token, "POST", "/conversations", {
  kind: "direct",
  memberIds: [reader.userId],
});
await post(writer, conversation.id, total);
const began = performance.now();
const read = await readBack(reader, conversation.id);
const seconds = (performance.now() - began) / 1000;

const few = await inboxCost(await ownerOf(10, "few"), 20);
const lots = await inboxCost(await ownerOf(many, "many"), 20);
report({
  messages: read,
  pageSize: page,
  messagesPerSecond: Math.round(read / seconds),
  inbox: { conversations: { few: 10, many }, few, many: lots },
});

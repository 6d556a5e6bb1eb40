// Several people in one process, each with the real SDK: told what to do, and telling what they saw,
// one line of JSON at a time. What the service said is taken from the wire, not from the SDK's stores.
import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import { JsonHubProtocol } from "@microsoft/signalr";
import { ChatClient, MemoryOutboxStorage } from "@parley/sdk";

const baseUrl = process.env.PARLEY_URL;
const INVOCATION = 1;
const COMPLETION = 3;
const MOST_UNDER_WAY = 4;
const people = new Map();
const userOfToken = new Map();

const tell = (kind, fields) => process.stdout.write(`${JSON.stringify({ kind, at: Date.now(), ...fields })}\n`);

function acknowledged(who, { conversationId, clientMessageId, sequence }) {
  tell("acknowledged", { who, conversation: conversationId, id: clientMessageId, sequence });
}

function confirmed(who, { conversationId, delivered, read }) {
  tell("confirmed", { who, conversation: conversationId, delivered, read });
}

function heard(who, { conversationId, senderId, clientMessageId, sequence }) {
  tell("heard", { who, conversation: conversationId, sender: senderId, id: clientMessageId, sequence });
}

/** The hub's protocol, with somebody listening on the line. */
class Witness extends JsonHubProtocol {
  #asked = new Map();

  constructor(who) {
    super();
    this.who = who;
  }

  writeMessage(message) {
    if (message.type === INVOCATION && message.invocationId) this.#asked.set(message.invocationId, message.target);
    return super.writeMessage(message);
  }

  parseMessages(input, logger) {
    const messages = super.parseMessages(input, logger);
    for (const message of messages) {
      if (message.type === COMPLETION) this.#answered(message);
      if (message.type === INVOCATION && message.target === "messagePosted") heard(this.who, message.arguments[0].message);
    }
    return messages;
  }

  #answered({ invocationId, result }) {
    const target = this.#asked.get(invocationId);
    this.#asked.delete(invocationId);
    if (!result?.ok) return;
    if (target === "sendMessage") acknowledged(this.who, result.message);
    if (target === "acknowledge") confirmed(this.who, result.receipt);
  }
}

const realFetch = globalThis.fetch;
globalThis.fetch = async (url, init = {}) => {
  const answer = await realFetch(url, init);
  const who = userOfToken.get(String(init.headers?.authorization ?? "").replace("Bearer ", ""));
  if (!who || !answer.ok) return answer;
  if (init.method === "POST" && String(url).endsWith("/messages")) {
    acknowledged(who, (await answer.clone().json()).message);
  }
  if (init.method === "PUT" && String(url).endsWith("/receipt")) confirmed(who, await answer.clone().json());
  return answer;
};

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function join({ who, token, conversations, online }) {
  userOfToken.set(token, who);
  const person = { who, token, conversations, posting: 0, client: null };
  people.set(who, person);
  if (!online) return;
  person.client = new ChatClient({
    baseUrl,
    userId: who,
    tokenProvider: async () => token,
    storage: new MemoryOutboxStorage(),
    protocol: new Witness(who),
  });
  void person.client.start();
  for (const id of conversations) void person.client.open(id);
}

/** Speak through the SDK's outbox. */
async function say({ who, conversation, body }) {
  const at = Date.now(); // before the outbox has it: what is pushed was said no later than this
  const entry = await people.get(who).client.send(conversation, { body });
  tell("said", { who, conversation, id: entry.clientMessageId, body, at });
}

/** Speak as an impatient client does: give up waiting, and try again while the last try is under way. */
async function post({ who, conversation, body, patienceMs }) {
  const person = people.get(who);
  const clientMessageId = randomUUID();
  person.posting += 1;
  while (person.busy) await pause(10);
  person.busy = true;
  tell("said", { who, conversation, id: clientMessageId, body });
  const underWay = new Set();
  for (let attempt = 0; ; attempt += 1) {
    const one = tryOnce(person, conversation, { clientMessageId, body, retry: attempt > 0 });
    underWay.add(one);
    void one.finally(() => underWay.delete(one));
    if (await Promise.race([one, pause(patienceMs)])) break;
    // On a slow machine unlimited attempts would only be slower: none would ever be answered.
    if (underWay.size >= MOST_UNDER_WAY && (await Promise.race(underWay))) break;
    await pause(patienceMs / 4);
  }
  person.busy = false;
  person.posting -= 1;
}

async function tryOnce({ token }, conversation, message) {
  try {
    const answer = await fetch(`${baseUrl}/api/conversations/${conversation}/messages`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(message),
      signal: AbortSignal.timeout(20_000),
    });
    return answer.ok;
  } catch {
    await pause(100);
    return false;
  }
}

function read({ who, conversation }) {
  const { client } = people.get(who);
  const newest = client.timeline(conversation).get().items.findLast((item) => item.kind === "stored");
  if (newest) client.markRead(conversation, newest.message.sequence);
}

async function leave({ who }) {
  const person = people.get(who);
  const { client } = person;
  person.client = null;
  await client?.stop();
}

/** Where everybody is, so that the harness knows when to stop waiting. */
function state() {
  const found = [...people.values()].map(({ who, client, posting, conversations }) => ({
    who,
    phase: client?.connection.get().phase ?? "away",
    pending: posting + (client?.outbox.get().entries.length ?? 0),
    last: Object.fromEntries(client ? conversations.map((id) => [id, lastOf(client, id)]) : []),
  }));
  tell("state", { people: found });
}

function lastOf(client, id) {
  return client.timeline(id).get().items.findLast((item) => item.kind === "stored")?.message.sequence ?? 0;
}

/** What each client shows, paged back to the beginning. */
async function show() {
  for (const { who, client, conversations } of people.values()) {
    for (const id of client ? conversations : []) {
      for (let page = 0; client.timeline(id).get().hasOlder && page < 200; page += 1) await client.loadOlder(id);
      const shown = client.timeline(id).get().items.filter((item) => item.kind === "stored");
      const items = shown.map(({ message }) => [message.sequence, message.clientMessageId]);
      tell("holds", { who, conversation: id, way: "shown", items });
    }
  }
  tell("shown", {});
}

const commands = { join, say, post, read, leave, state, show };

process.on("unhandledRejection", (error) => tell("broken", { error: String(error?.stack ?? error) }));
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  void Promise.resolve(commands[command.do](command)).catch((error) => tell("broken", { error: String(error?.stack ?? error) }));
}
process.exit(0);

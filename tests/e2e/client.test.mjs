import { HttpTransportType } from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";
import { afterEach, describe, expect, test } from "vitest";
import { MemoryOutboxStorage } from "@parley/sdk";
import { clearFaults, client, fault, kill, online, shown, someone, tokenOf, until, write } from "./people.mjs";

const started = [];

async function start(userId, options) {
  const made = await client(userId, options);
  started.push(made);
  return made;
}

/** Two users who are connected and have an open direct conversation. */
async function pair(options = {}) {
  const [ann, ben] = [someone("ann"), someone("ben")];
  const [a, b] = [await start(ann, options.ann), await start(ben, options.ben)];
  await Promise.all([online(a), online(b)]);
  const { id } = await a.startDirect(ben);
  await until(() => b.inbox.get().entries.length === 1);
  await Promise.all([a.open(id), b.open(id)]);
  return { ann, ben, a, b, id };
}

const statusOf = (made, id, body) =>
  made.timeline(id).get().items.find((item) => item.kind === "stored" && item.message.body === body)?.status;

/** Wait until nothing waits in these clients' outboxes: a push to others can be quicker than the answer. */
const settled = (...clients) => until(() => clients.every((made) => made.outbox.get().entries.length === 0));

const numbered = (count) => Array.from({ length: count }, (_, index) => `message ${index + 1}`);

afterEach(async () => {
  await clearFaults();
  await Promise.all(started.splice(0).map((made) => made.stop()));
});

describe("two clients", () => {
  test("talk both ways and see each other's receipts", async () => {
    const { a, b, id } = await pair();

    await a.send(id, { body: "hello" });
    await until(() => shown(b, id).includes("hello"));
    const delivered = await until(() => statusOf(a, id, "hello") === "delivered");
    b.markRead(id, 1);
    const read = await until(() => statusOf(a, id, "hello") === "read");
    await b.send(id, { body: "hello yourself", replyTo: 1 });
    await until(() => shown(a, id).includes("hello yourself"));
    await settled(a, b);

    expect([delivered, read]).toEqual([true, true]);
    expect(shown(a, id)).toEqual(shown(b, id));
  });

  test("talk by MessagePack", async () => {
    const protocol = new MessagePackHubProtocol();
    const { a, b, id } = await pair({ ann: { protocol }, ben: { protocol } });

    await a.send(id, { body: "packed ✓" });
    await until(() => shown(b, id).includes("packed ✓"));
    await until(() => statusOf(a, id, "packed ✓") === "delivered");

    expect(shown(a, id)).toEqual(["packed ✓"]);
  });

  test("talk when a proxy lets only long polling through", async () => {
    const transport = HttpTransportType.LongPolling;
    const { a, b, id } = await pair({ ann: { transport } });

    await a.send(id, { body: "from afar" });
    await until(() => shown(b, id).includes("from afar"));
    await b.send(id, { body: "and back" });
    await until(() => shown(a, id).includes("and back"));
    await settled(a, b);

    expect(shown(a, id)).toEqual(["from afar", "and back"]);
  });

  test("see who is online, who types and who has left", async () => {
    const { ann, ben, a, b, id } = await pair();
    a.watchPresence([ben]);
    await until(() => a.presence.get().get(ben)?.status === "online");

    b.keystroke(id);
    await until(() => a.typing(id).get().includes(ben));
    await b.stop();
    await until(() => a.presence.get().get(ben)?.status === "offline");

    expect(a.presence.get().get(ann)).toBeUndefined();
  });
});

describe("a client with an outbox", () => {
  test("keeps the order of a burst", async () => {
    const { a, b, id } = await pair();

    for (const body of numbered(40)) void a.send(id, { body });
    await until(() => shown(b, id).length === 40);
    await settled(a);

    expect(shown(b, id)).toEqual(numbered(40));
    expect(shown(a, id)).toEqual(numbered(40));
  });

  test("sends what it holds once after a crash in the middle", async () => {
    const { ann, b, a, id } = await pair();
    const storage = new MemoryOutboxStorage();
    const entry = {
      clientMessageId: "019a0000-0000-7000-8000-000000000001", userId: ann, conversationId: id, body: "unsure",
      attachments: [], replyTo: null, createdAt: Date.now(), attempts: 1, failure: null,
    };
    await a.api.postMessage({ conversationId: id, clientMessageId: entry.clientMessageId, body: "unsure" });
    await storage.put(entry);

    const again = await start(ann, { storage });
    await until(async () => (await storage.list(ann)).length === 0);
    await again.send(id, { body: "after" });
    await until(() => shown(b, id).includes("after"));

    expect(shown(b, id)).toEqual(["unsure", "after"]);
  });

  test("sends over HTTP while the hub is away, and the other catches up without it", async () => {
    const { a, b, id } = await pair();
    await fault({ service: "signalr", kind: "error", operation: "client", status: 503 });
    await fault({ service: "signalr", kind: "drop", operation: "client" });
    await until(() => a.connection.get().phase !== "online" && b.connection.get().phase !== "online");

    await a.send(id, { body: "without a hub" });
    await until(() => statusOf(a, id, "without a hub") !== undefined);
    await until(() => shown(b, id).includes("without a hub"), 30_000);

    expect([a.connection.get().phase, b.connection.get().phase]).toEqual(["reconnecting", "reconnecting"]);
    expect(shown(b, id)).toEqual(["without a hub"]);
  });

  test("waits as the service asks when it writes too fast, says so, and loses nothing", async () => {
    const { ann, ben, a, b, id } = await pair();
    const askedToWait = new Set();
    a.outbox.subscribe(() => askedToWait.add(a.outbox.get().waiting?.code));
    const { id: beside } = await a.startGroup("Beside", [ben]);
    const token = await tokenOf(ann);

    // Another program of ann's takes from the same bucket until this client has been asked to wait: however
    // slow the machine is, one client alone may stay below the limit.
    const others = Array.from({ length: 8 }, async () => {
      while (!askedToWait.has("rate_limited")) await write(token, beside);
    });
    const bodies = numbered(60);
    for (const body of bodies) void a.send(id, { body });
    await Promise.all(others);
    await until(() => shown(b, id).length === bodies.length, 55_000);

    expect(askedToWait).toContain("rate_limited");
    expect(shown(b, id)).toEqual(bodies);
  });

  test("marks what is refused for good and sends what stands behind it", async () => {
    const { a, b, id } = await pair();

    await a.send(id, { body: "x".repeat(8_001) });
    await a.send(id, { body: "short" });
    await until(() => shown(b, id).includes("short") && a.outbox.get().entries.length === 1);

    const failed = a.outbox.get().entries;
    expect(failed.map((one) => one.failure?.code)).toEqual(["too_large"]);
    expect(shown(b, id)).toEqual(["short"]);
  });
});

describe("a client that missed pushes", () => {
  test("fills the hole as soon as the next message comes", async () => {
    const { a, b, id } = await pair();
    await a.send(id, { body: "one" });
    await until(() => shown(b, id).length === 1);

    await fault({ service: "signalr", kind: "drop", operation: "deliver" });
    await a.send(id, { body: "two (its push is lost)" });
    await until(() => statusOf(a, id, "two (its push is lost)") !== undefined);
    await clearFaults();
    await a.send(id, { body: "three" });
    await until(() => shown(b, id).length === 3);

    expect(shown(b, id)).toEqual(["one", "two (its push is lost)", "three"]);
  });

  test("finds a lost last message by its heartbeat", async () => {
    const { a, b, id } = await pair();

    await fault({ service: "signalr", kind: "drop", operation: "deliver" });
    await a.send(id, { body: "the last word" });
    await until(() => shown(b, id).includes("the last word"), 15_000);

    expect(shown(b, id)).toEqual(["the last word"]);
  });

  test("shows each message once and in order when pushes are doubled and shuffled", async () => {
    const { a, b, id } = await pair();
    await fault({ service: "signalr", kind: "duplicate", operation: "deliver", probability: 0.5 });
    await fault({ service: "signalr", kind: "reorder", operation: "deliver", probability: 0.5 });

    for (const body of numbered(30)) void a.send(id, { body });
    await until(() => shown(b, id).length === 30);

    expect(shown(b, id)).toEqual(numbered(30));
  });

  test("catches up after an absence of more than a page", async () => {
    const { ben, a, b, id } = await pair();
    await b.stop();
    for (const body of numbered(70)) void a.send(id, { body });
    await until(() => a.outbox.get().entries.length === 0, 30_000);

    const back = await start(ben);
    await back.open(id);
    while (back.timeline(id).get().hasOlder) await back.loadOlder(id);
    await until(() => back.inbox.get().entries.length === 1);

    expect(shown(back, id)).toEqual(numbered(70));
    expect(back.inbox.get().entries[0]?.unreadCount).toBe(70);
  });

  test("is whole again after the SignalR process was killed while both wrote", async () => {
    const { a, b, id } = await pair();
    for (const body of numbered(10)) void a.send(id, { body: `a ${body}` });
    await kill("signalr");
    for (const body of numbered(10)) void b.send(id, { body: `b ${body}` });
    await until(() => shown(a, id).length === 20 && shown(b, id).length === 20, 50_000);
    await settled(a, b);

    expect(shown(a, id)).toEqual(shown(b, id));
    expect(new Set(shown(a, id)).size).toBe(20);
    expect(shown(a, id).filter((body) => body.startsWith("a "))).toEqual(numbered(10).map((body) => `a ${body}`));
  });
});

describe("several devices of one user", () => {
  test("agree on what is read", async () => {
    const { ben, a, b, id } = await pair();
    const phone = await start(ben);
    await online(phone);
    await a.send(id, { body: "ping" });
    const unread = (made) => made.inbox.get().entries.find((entry) => entry.conversation.id === id)?.unreadCount;
    await until(() => unread(b) === 1 && unread(phone) === 1);

    phone.markRead(id, 1);
    await until(() => unread(b) === 0);

    expect(unread(phone)).toBe(0);
  });

  test("both show what one of them wrote", async () => {
    const { ann, a, id } = await pair();
    const phone = await start(ann);
    await online(phone);
    await phone.open(id);

    await a.send(id, { body: "from the laptop" });
    await until(() => shown(phone, id).includes("from the laptop"));

    expect(phone.inbox.get().entries[0]?.unreadCount).toBe(0);
  });
});

describe("groups", () => {
  test("grow, are renamed, and a removed member hears no more", async () => {
    const { ben, a, b } = await pair();
    const late = someone("cleo");
    await tokenOf(late);
    const group = await a.startGroup("Walkers", [ben]);
    const inboxOf = (made) => made.inbox.get().entries.find((entry) => entry.conversation.id === group.id);
    await until(() => inboxOf(b));
    const c = await start(late);
    await online(c);

    await a.addMembers(group.id, [late]);
    await until(() => inboxOf(c)?.conversation.members.length === 3);
    await a.rename(group.id, "Runners");
    await until(() => inboxOf(b)?.conversation.title === "Runners" && inboxOf(c)?.conversation.title === "Runners");
    await c.open(group.id);
    await a.send(group.id, { body: "welcome" });
    await until(() => shown(c, group.id).includes("welcome"));
    await a.removeMember(group.id, ben);
    await until(() => !inboxOf(b));
    await a.send(group.id, { body: "without ben" });
    await until(() => shown(c, group.id).includes("without ben"));

    expect(inboxOf(b)).toBeUndefined();
  });
});

describe("files", () => {
  test("go straight to storage and come back to the other side", async () => {
    const { a, b, id } = await pair();
    const file = Object.assign(new Blob(["dear diary"], { type: "text/plain" }), { name: "diary.txt" });

    const attachment = await a.upload(id, file);
    await a.send(id, { body: "", attachments: [attachment] });
    const arrived = await until(() => b.timeline(id).get().items.find((item) => item.kind === "stored"));
    const blob = await b.api.download(id, arrived.message.attachments[0].attachmentId);

    expect(arrived.message.attachments[0]).toMatchObject({ fileName: "diary.txt", sizeBytes: 10 });
    expect(await blob.text()).toBe("dear diary");
  });
});

describe("blocks and mute", () => {
  test("stop new messages at once, and the sender is told", async () => {
    const { ann, a, b, id } = await pair();

    await b.api.block(ann);
    await a.send(id, { body: "are you there?" });
    const failed = await until(() => a.outbox.get().entries.find((entry) => entry.failure));
    await b.api.unblock(ann);
    await a.retry(failed.clientMessageId);
    await until(() => shown(b, id).includes("are you there?"));

    expect(failed.failure.code).toBe("blocked");
  });

  test("mute shows on the inbox", async () => {
    const { a, id } = await pair();

    await a.mute(id, Date.now() + 3_600_000);
    const fresh = await a.api.listConversations(10, null);

    expect(a.inbox.get().entries[0]?.muted).toBe(true);
    expect(fresh.items[0]?.muted).toBe(true);
  });
});

// W1 while the worker is killed with SIGKILL in the middle: senders retry as the SDK does.
import { randomUUID } from "node:crypto";
import { Person, api, baseUrl, report, unique } from "./people.mjs";

const pairs = Number(process.env.PAIRS ?? 20);
const total = Number(process.env.MESSAGES ?? 2000);

const talking = [];
for (let number = 0; number < pairs; number += 1) {
  const one = await Person.named(unique(`one${number}`));
  const other = await Person.named(unique(`other${number}`));
  const made = { kind: "direct", memberIds: [other.userId] };
  const conversation = await api(one.token, "POST", "/conversations", made);
  await one.connect();
  await other.connect();
  await one.send(conversation.id);
  talking.push({ one, other, conversation, acknowledged: 1 });
}

async function killWorker() {
  const { items } = await (await fetch(`${baseUrl}/dev/processes`)).json();
  process.kill(items.find((item) => item.name === "worker-1").pid, "SIGKILL");
}

let left = total;
let killed = false;
let last = performance.now();
let longestSilenceMs = 0;
let retries = 0;

async function sendOnce(talk) {
  const clientMessageId = randomUUID();
  for (let attempt = 0; ; attempt += 1) {
    const asked = {
      conversationId: talk.conversation.id,
      clientMessageId,
      body: "said once",
      retry: attempt > 0,
    };
    const answer = await talk.one.hub.invoke("sendMessage", asked).catch(() => ({ ok: false }));
    if (answer.ok) return;
    retries += 1;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

await Promise.all(
  talking.map(async (talk) => {
    while (left > 0) {
      left -= 1;
      if (!killed && left < total / 2) {
        killed = true;
        await killWorker();
      }
      await sendOnce(talk);
      talk.acknowledged += 1;
      const now = performance.now();
      longestSilenceMs = Math.max(longestSilenceMs, now - last);
      last = now;
    }
  }),
);

let lost = 0;
let doubled = 0;
for (const { one, conversation, acknowledged } of talking) {
  const { latestSequence } = await api(one.token, "GET", `/conversations/${conversation.id}`);
  lost += Math.max(0, acknowledged - latestSequence);
  doubled += Math.max(0, latestSequence - acknowledged);
}
report({ messages: total, longestSilenceMs: Math.round(longestSilenceMs), retries, lost, doubled });
await Promise.all(talking.flatMap(({ one, other }) => [one.hub.stop(), other.hub.stop()]));

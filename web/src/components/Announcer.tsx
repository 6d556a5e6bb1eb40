import { useEffect, useRef, useState } from "react";
import type { Message, TimelineSnapshot } from "@parley/sdk";
import { useChat } from "../chat/context.ts";
import { usePeople } from "../chat/naming.ts";

/** Reads new messages of others out to a screen reader; history that is paged in stays silent. */
export function Announcer({ timeline }: { timeline: TimelineSnapshot }) {
  const { client } = useChat();
  const find = usePeople();
  const [text, setText] = useState("");
  const heard = useRef<number | null>(null);

  useEffect(() => {
    if (!timeline.loaded) return;
    const message = newest(timeline);
    const before = heard.current;
    heard.current = message?.sequence ?? 0;
    const isNew = message !== null && before !== null && message.sequence > before;
    if (isNew && message.senderId !== client.userId) {
      setText(`${find(message.senderId).displayName}: ${message.body || "sent a file"}`);
    }
  }, [timeline, client, find]);

  return <div className="visually-hidden" aria-live="polite">{text}</div>;
}

function newest(timeline: TimelineSnapshot): Message | null {
  const item = timeline.items.findLast((candidate) => candidate.kind === "stored");
  return item?.kind === "stored" ? item.message : null;
}

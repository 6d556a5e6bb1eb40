import { useEffect, useRef, useState } from "react";
import type { TimelineSnapshot } from "@parley/sdk";
import { useChat } from "../chat/context.ts";
import { usePeople } from "../chat/naming.ts";

/** Reads new messages of others out to a screen reader; history that is paged in stays silent. */
export function Announcer({ timeline }: { timeline: TimelineSnapshot }) {
  const { client } = useChat();
  const find = usePeople();
  const [text, setText] = useState("");
  const heard = useRef<number | null>(null);

  useEffect(() => {
    const last = timeline.items.findLast((item) => item.kind === "stored");
    const message = last?.kind === "stored" ? last.message : null;
    const sequence = message?.sequence ?? 0;
    const before = heard.current;
    if (timeline.loaded) heard.current = sequence;
    if (before === null || sequence <= before || !message || message.senderId === client.userId) return;
    setText(`${find(message.senderId).displayName}: ${message.body || "sent a file"}`);
  }, [timeline, client, find]);

  return <div className="visually-hidden" aria-live="polite">{text}</div>;
}

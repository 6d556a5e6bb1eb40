import { useEffect, useEffectEvent, useRef, useState } from "react";
import type { Message, TimelineSnapshot } from "@parley/sdk";
import { useChat } from "../connection/context.ts";
import { usePeople } from "../people/naming.ts";

/** Messages that arrive within this time are announced together. */
const TOGETHER_MS = 500;

/** Announces new messages of others to a screen reader; older messages that are paged in are not announced. */
export function Announcer({ timeline }: { timeline: TimelineSnapshot }) {
  const { client } = useChat();
  const find = usePeople();
  const [text, setText] = useState("");
  const announced = useRef<number | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const { loaded } = timeline;
  const sequence = newest(timeline)?.sequence ?? 0;

  const announce = useEffectEvent((after: number) => {
    timer.current = null;
    const fresh = heardSince(timeline, after).filter((message) => message.senderId !== client.userId);
    const last = fresh.at(-1);
    announced.current = sequence;
    if (!last) return;
    const name = find(last.senderId).displayName;
    setText(fresh.length === 1 ? `${name}: ${last.body || "sent a file"}` : `${fresh.length} new messages, last by ${name}`);
  });

  useEffect(() => {
    if (!loaded) return;
    if (announced.current === null) announced.current = sequence;
    const before = announced.current;
    if (sequence > before && timer.current === null) timer.current = setTimeout(() => announce(before), TOGETHER_MS);
  }, [loaded, sequence]);

  useEffect(() => () => {
    if (timer.current !== null) clearTimeout(timer.current);
    timer.current = null;
  }, []);

  return <div className="visually-hidden" aria-live="polite">{text}</div>;
}

function newest(timeline: TimelineSnapshot): Message | null {
  const item = timeline.items.findLast((candidate) => candidate.kind === "stored");
  return item?.kind === "stored" ? item.message : null;
}

function heardSince(timeline: TimelineSnapshot, sequence: number): Message[] {
  return timeline.items.flatMap((item) => (item.kind === "stored" && item.message.sequence > sequence ? [item.message] : []));
}

import { useMemo, useState } from "react";
import type { InboxEntry, Message, TimelineItem, TimelineSnapshot } from "@parley/sdk";
import { dayLabel, isSameDay } from "../common/format.ts";
import { useChat } from "../connection/context.ts";
import { BrokenMessage, ErrorBoundary } from "../controls/ErrorBoundary.tsx";
import { Icon } from "../controls/icons.tsx";
import { useReading } from "../receipts/useReading.ts";
import { MessageRow } from "./MessageRow.tsx";
import { useScroll } from "./useScroll.ts";

interface Props {
  timeline: TimelineSnapshot;
  entry: InboxEntry | undefined;
  /** How many messages the user sent from here; each scrolls the end into view. */
  sentCount: number;
  onReply: (message: Message) => void;
}

const GROUP_MS = 5 * 60_000;

export function MessageList({ timeline, entry, sentCount, onReply }: Props) {
  const { client } = useChat();
  const { items, conversationId, hasOlder, loadingOlder, filling } = timeline;
  const [firstUnread] = useState(() => (entry && entry.unreadCount > 0 ? entry.read + 1 : Infinity));
  const isGroup = entry?.conversation.kind === "group";
  const { container, isAtBottom, newBelow, onScroll, toBottom } = useScroll(items, client.userId, sentCount, () => {
    if (hasOlder && !loadingOlder) void client.loadOlder(conversationId);
  });
  const bySequence = useMemo(() => indexed(items), [items]);
  useReading(timeline, isAtBottom);

  return (
    <div className="messages-frame">
      <div className="messages" ref={container} onScroll={onScroll} tabIndex={0} role="region" aria-label="Messages">
        <div className="messages-content">
          <ListStart timeline={timeline} />
          <ol>
            {items.map((item, index) => (
              <ErrorBoundary key={item.key} fallback={(retry) => <BrokenMessage onRetry={retry} />}>
                <MessageRow
                  item={item}
                  day={dayBefore(items, index)}
                  startsUnread={isFirstUnread(item, firstUnread, client.userId)}
                  isContinued={isContinued(items[index - 1], item)}
                  showSender={isGroup}
                  quoted={quotedBy(item, bySequence)}
                  onReply={onReply}
                />
              </ErrorBoundary>
            ))}
          </ol>
          {filling && <p className="list-note" role="status">Loading new messages…</p>}
        </div>
      </div>
      {!isAtBottom && (
        <button className="jump" onClick={toBottom}>
          <Icon name="down" size={18} /> {newBelow > 0 ? `${newBelow} new` : "Newest"}
        </button>
      )}
    </div>
  );
}

function ListStart({ timeline }: { timeline: TimelineSnapshot }) {
  const { client } = useChat();
  if (timeline.error) {
    return (
      <p className="list-note" role="alert">
        Older messages could not be loaded.{" "}
        <button className="link" onClick={() => void client.loadOlder(timeline.conversationId)}>Try again</button>
      </p>
    );
  }
  if (timeline.hasOlder) return <p className="list-note">{timeline.loadingOlder ? "Loading older messages…" : " "}</p>;
  return (
    <p className="list-note">
      {timeline.items.length === 0 ? "Nothing said yet. Write the first message." : "This is the beginning."}
    </p>
  );
}

function at(item: TimelineItem): number {
  return item.kind === "stored" ? item.message.sentAt : item.entry.createdAt;
}

/** The day to show above an item, if it is not the day of the item before. */
function dayBefore(items: readonly TimelineItem[], index: number): string | null {
  const item = items[index];
  const previous = items[index - 1];
  if (!item || (previous && isSameDay(at(previous), at(item)))) return null;
  return dayLabel(at(item));
}

function isFirstUnread(item: TimelineItem, firstUnread: number, me: string): boolean {
  return item.kind === "stored" && item.message.sequence === firstUnread && item.message.senderId !== me;
}

function isContinued(previous: TimelineItem | undefined, item: TimelineItem): boolean {
  if (!previous || sender(previous) !== sender(item)) return false;
  if (previous.kind === "stored" && previous.message.kind === "system") return false;
  return at(item) - at(previous) < GROUP_MS && isSameDay(at(previous), at(item));
}

function sender(item: TimelineItem): string {
  return item.kind === "stored" ? item.message.senderId : item.entry.userId;
}

function indexed(items: readonly TimelineItem[]): ReadonlyMap<number, Message> {
  return new Map(items.flatMap((item) => (item.kind === "stored" ? [[item.message.sequence, item.message]] : [])));
}

/** The message that an item replies to: null if it is not loaded, undefined if the item is no reply. */
function quotedBy(item: TimelineItem, bySequence: ReadonlyMap<number, Message>): Message | null | undefined {
  const replyTo = item.kind === "stored" ? item.message.replyTo : item.entry.replyTo;
  return replyTo === null ? undefined : (bySequence.get(replyTo) ?? null);
}

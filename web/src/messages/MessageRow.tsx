import { memo } from "react";
import type { Message, TimelineItem } from "@parley/sdk";
import { summary } from "../common/format.ts";
import { useChat } from "../connection/context.ts";
import { Icon } from "../controls/icons.tsx";
import { Avatar } from "../people/Avatar.tsx";
import { usePeople } from "../people/naming.ts";
import { Bubble } from "./Bubble.tsx";
import { FailedNote } from "./FailedNote.tsx";

interface Props {
  item: TimelineItem;
  day: string | null;
  startsUnread: boolean;
  isContinued: boolean;
  showSender: boolean;
  quoted: Message | null | undefined;
  onReply: (message: Message) => void;
}

export const MessageRow = memo(function MessageRow(props: Props) {
  const { item, day, startsUnread } = props;
  return (
    <li className="message-item">
      {day !== null && <p className="day"><span>{day}</span></p>}
      {startsUnread && <p className="unread-line"><span>New messages</span></p>}
      {item.kind === "stored" && item.message.kind === "system" ? (
        <p className="system-line" dir="auto">{summary(item.message)}</p>
      ) : (
        <MessageBody {...props} />
      )}
    </li>
  );
}, isSame);

function MessageBody({ item, isContinued, showSender, quoted, onReply }: Props) {
  const { client } = useChat();
  const find = usePeople();
  const senderId = senderOf(item);
  const isOwn = senderId === client.userId;
  const classes = `message ${isOwn ? "message-own" : "message-other"} ${isContinued ? "message-continued" : ""}`;
  const person = showSender && !isOwn ? find(senderId) : null;

  return (
    <div className={classes}>
      {person && <span className="message-avatar">{!isContinued && <Avatar person={person} size="small" />}</span>}
      <div className="message-body">
        {person && !isContinued && <p className="message-name" dir="auto">{person.displayName}</p>}
        <Bubble item={item} isOwn={isOwn} quoted={quoted} />
        {item.kind === "failed" && <FailedNote entry={item.entry} />}
      </div>
      {item.kind === "stored" && (
        <button className="icon-button reply" aria-label="Reply" onClick={() => onReply(item.message)}>
          <Icon name="reply" size={18} />
        </button>
      )}
    </div>
  );
}

function senderOf(item: TimelineItem): string {
  return item.kind === "stored" ? item.message.senderId : item.entry.userId;
}

/** Every change makes new items, but an unchanged message or entry stays the same object. */
function isSame(a: Props, b: Props): boolean {
  return (
    a.day === b.day &&
    a.startsUnread === b.startsUnread &&
    a.isContinued === b.isContinued &&
    a.showSender === b.showSender &&
    a.quoted === b.quoted &&
    isSameItem(a.item, b.item)
  );
}

function isSameItem(a: TimelineItem, b: TimelineItem): boolean {
  if (a.kind === "stored") return b.kind === "stored" && a.message === b.message && a.status === b.status;
  return a.kind === b.kind && "entry" in b && a.entry === b.entry;
}

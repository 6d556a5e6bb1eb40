import type { AttachmentRef, Message, TimelineItem } from "@parley/sdk";
import { summary, timeOfDay } from "../common/format.ts";
import { AttachmentView } from "../files/AttachmentView.tsx";
import { usePeople } from "../people/naming.ts";
import { Ticks } from "../receipts/Ticks.tsx";

interface Props {
  item: TimelineItem;
  isOwn: boolean;
  quoted: Message | null | undefined;
}

export function Bubble({ item, isOwn, quoted }: Props) {
  const { body, attachments, sentAt, conversationId } = contentOf(item);
  return (
    <div className={`bubble bubble-${item.kind}${isEmojiOnly(body) ? " bubble-emoji" : ""}`}>
      {quoted !== undefined && <Quote message={quoted} />}
      {attachments.map((attachment) => (
        <AttachmentView key={attachment.attachmentId} conversationId={conversationId} attachment={attachment} />
      ))}
      {body && <p className="bubble-text" dir="auto">{body}</p>}
      {!body && attachments.length === 0 && <p className="bubble-text"><em>{summary({ body, attachments })}</em></p>}
      <span className="bubble-meta">
        <time dateTime={new Date(sentAt).toISOString()}>{timeOfDay(sentAt)}</time>
        {isOwn && <Ticks item={item} />}
      </span>
    </div>
  );
}

function Quote({ message }: { message: Message | null }) {
  const find = usePeople();
  if (message === null) return <blockquote className="quote">An earlier message</blockquote>;
  return (
    <blockquote className="quote">
      <strong dir="auto">{find(message.senderId).displayName}</strong>
      <span dir="auto">{summary(message)}</span>
    </blockquote>
  );
}

interface Content {
  conversationId: string;
  body: string;
  attachments: readonly AttachmentRef[];
  sentAt: number;
}

function contentOf(item: TimelineItem): Content {
  return item.kind === "stored" ? item.message : { ...item.entry, sentAt: item.entry.createdAt };
}

const EMOJI_ONLY = /^(?:\p{Extended_Pictographic}[\p{Emoji_Modifier}\u200d\ufe0f\p{Extended_Pictographic}]*\s*){1,3}$/u;

/** Whether a text is one to three emoji, which are shown large. */
function isEmojiOnly(body: string): boolean {
  return body.length < 40 && EMOJI_ONLY.test(body);
}

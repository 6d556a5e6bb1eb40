import { useEffect, useState } from "react";
import type { Message } from "@parley/sdk";
import { useChat } from "../chat/context.ts";
import { explainCode } from "../chat/explain.ts";
import { useBlockedPartner } from "../chat/useBlockedPartner.ts";
import { useStore } from "../chat/useStore.ts";
import { useUploads } from "../chat/useUploads.ts";
import { Announcer } from "./Announcer.tsx";
import { BlockedBar } from "./BlockedBar.tsx";
import { Composer } from "./Composer.tsx";
import { ConversationHeader } from "./ConversationHeader.tsx";
import { MessageList } from "./MessageList.tsx";
import { TypingIndicator } from "./TypingIndicator.tsx";

/** One open conversation: who it is with, what was said, and where to say more. */
export function ConversationPane({ conversationId }: { conversationId: string }) {
  const { client } = useChat();
  const { entries } = useStore(client.inbox);
  const timeline = useStore(client.timeline(conversationId));
  const [said, setSaid] = useState(0);
  const [replyTo, setReplyTo] = useState<Message | null>(null);
  const uploads = useUploads(conversationId);
  const entry = entries.find((candidate) => candidate.conversation.id === conversationId);
  const blockedPartner = useBlockedPartner(entry);

  useEffect(() => void client.open(conversationId), [client, conversationId]);

  if (timeline.error && !timeline.loaded) {
    return (
      <div className="empty-pane" role="alert">
        <p>{explainCode(timeline.error.code, timeline.error.message)}</p>
        <p className="button-row">
          <a className="button" href="#/">Back to the list</a>
          <button className="primary" onClick={() => void client.open(conversationId)}>Try again</button>
        </p>
      </div>
    );
  }
  return (
    <section
      className="conversation"
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        uploads.add([...event.dataTransfer.files]);
      }}
    >
      <ConversationHeader conversationId={conversationId} entry={entry} />
      {timeline.loaded ? (
        <MessageList timeline={timeline} entry={entry} said={said} onReply={setReplyTo} />
      ) : (
        <div className="messages-loading" role="status">Loading messages…</div>
      )}
      <TypingIndicator conversationId={conversationId} />
      {blockedPartner === null ? (
        <Composer
          conversationId={conversationId}
          uploads={uploads}
          replyTo={replyTo}
          onReplyDone={() => setReplyTo(null)}
          onSent={() => setSaid((count) => count + 1)}
        />
      ) : (
        <BlockedBar userId={blockedPartner} />
      )}
      <Announcer timeline={timeline} />
    </section>
  );
}

import { useEffect, useState } from "react";
import type { Message } from "@parley/sdk";
import { explainCode } from "../common/explain.ts";
import { useStore } from "../common/useStore.ts";
import { useChat } from "../connection/context.ts";
import { useUploads } from "../files/useUploads.ts";
import { Announcer } from "../messages/Announcer.tsx";
import { Composer } from "../messages/Composer.tsx";
import { MessageList } from "../messages/MessageList.tsx";
import { BlockedBar } from "../people/BlockedBar.tsx";
import { useBlockedPartner } from "../people/useBlockedPartner.ts";
import { TypingIndicator } from "../presence/TypingIndicator.tsx";
import { ConversationHeader } from "./ConversationHeader.tsx";

/** One open conversation: who it is with, its messages, and the composer. */
export function ConversationPane({ conversationId }: { conversationId: string }) {
  const { client } = useChat();
  const { entries } = useStore(client.inbox);
  const timeline = useStore(client.timeline(conversationId));
  const [sentCount, setSentCount] = useState(0);
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
        <MessageList timeline={timeline} entry={entry} sentCount={sentCount} onReply={setReplyTo} />
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
          onSent={() => setSentCount((count) => count + 1)}
        />
      ) : (
        <BlockedBar userId={blockedPartner} />
      )}
      <Announcer timeline={timeline} />
    </section>
  );
}

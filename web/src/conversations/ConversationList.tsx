import { useEffect, useRef } from "react";
import { useStore } from "../common/useStore.ts";
import { useChat } from "../connection/context.ts";
import { ConversationRow } from "./ConversationRow.tsx";

interface Props {
  selectedId: string | null;
  onStart: () => void;
}

export function ConversationList({ selectedId, onStart }: Props) {
  const { client } = useChat();
  const { entries, loaded, hasMore } = useStore(client.inbox);

  if (!loaded && entries.length === 0) return <LoadingRows />;
  if (entries.length === 0) {
    return (
      <div className="list-empty">
        <p>No conversations yet.</p>
        <button className="link" onClick={onStart}>Start one with somebody you know</button>
      </div>
    );
  }
  return (
    <nav className="conversation-list" aria-label="Conversation list">
      <ul>
        {entries.map((entry) => (
          <li key={entry.conversation.id}>
            <ConversationRow entry={entry} isSelected={entry.conversation.id === selectedId} />
          </li>
        ))}
      </ul>
      {hasMore && <MoreSentinel onVisible={() => void client.loadMoreConversations().catch(() => undefined)} />}
    </nav>
  );
}

function LoadingRows() {
  return (
    <div className="conversation-list" role="status" aria-label="Loading conversations">
      {[0, 1, 2, 3, 4].map((row) => (
        <div key={row} className="row-skeleton" />
      ))}
    </div>
  );
}

function MoreSentinel({ onVisible }: { onVisible: () => void }) {
  const element = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    if (!element.current || typeof IntersectionObserver === "undefined") return;
    const observer = new IntersectionObserver((seen) => seen.some((entry) => entry.isIntersecting) && onVisible());
    observer.observe(element.current);
    return () => observer.disconnect();
  });

  return <button ref={element} className="quiet more" onClick={onVisible}>More conversations</button>;
}

import { useEffect } from "react";
import { EmptyPane } from "./EmptyPane.tsx";
import { Sidebar } from "./Sidebar.tsx";
import { useRoute } from "./common/useRoute.ts";
import { useStore } from "./common/useStore.ts";
import { ConnectionBanner } from "./connection/ConnectionBanner.tsx";
import { useChat } from "./connection/context.ts";
import { Broken, ErrorBoundary } from "./controls/ErrorBoundary.tsx";
import { ToastList } from "./controls/ToastList.tsx";
import { ConversationPane } from "./conversations/ConversationPane.tsx";
import { useNotificationClicks } from "./notifications/notifications.ts";
import { useNames } from "./people/useNames.ts";
import { useWatchedPresence } from "./presence/useWatchedPresence.ts";

export function ChatApp({ onSwitchUser }: { onSwitchUser: () => void }) {
  const { client } = useChat();
  const conversationId = useRoute();
  const { unreadCount } = useStore(client.inbox);
  const { phase } = useStore(client.connection);
  useNotificationClicks();
  useWatchedPresence(conversationId);
  useNames();

  useEffect(() => {
    document.title = unreadCount > 0 ? `(${unreadCount}) Parley` : "Parley";
  }, [unreadCount]);

  return (
    <div className="app" data-view={conversationId === null ? "list" : "conversation"} data-connection={phase}>
      <ConnectionBanner />
      <ErrorBoundary fallback={(retry) => <Broken what="The list of conversations" onRetry={retry} />}>
        <Sidebar selectedId={conversationId} onSwitchUser={onSwitchUser} />
      </ErrorBoundary>
      <main className="pane" aria-label="Conversation">
        {conversationId === null ? (
          <EmptyPane />
        ) : (
          <ErrorBoundary key={conversationId} fallback={(retry) => <Broken what="This conversation" onRetry={retry} />}>
            <ConversationPane conversationId={conversationId} />
          </ErrorBoundary>
        )}
      </main>
      <ToastList />
    </div>
  );
}

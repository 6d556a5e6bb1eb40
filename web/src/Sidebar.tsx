import { useState } from "react";
import { useChat } from "./connection/context.ts";
import { Icon, Mark } from "./controls/icons.tsx";
import { ConversationList } from "./conversations/ConversationList.tsx";
import { NewConversationDialog } from "./conversations/NewConversationDialog.tsx";
import { NotificationsDialog } from "./notifications/NotificationsDialog.tsx";
import { Avatar } from "./people/Avatar.tsx";
import { usePeople } from "./people/naming.ts";

interface Props {
  selectedId: string | null;
  onSwitchUser: () => void;
}

export function Sidebar({ selectedId, onSwitchUser }: Props) {
  const { client } = useChat();
  const me = usePeople()(client.userId);
  const [isStarting, setStarting] = useState(false);
  const [isNotifying, setNotifying] = useState(false);

  return (
    <aside className="sidebar" aria-label="Conversations">
      <header className="sidebar-head">
        <h1>
          <Mark /> Parley
        </h1>
        <button className="primary with-icon" onClick={() => setStarting(true)}>
          <Icon name="plus" size={18} /> New
        </button>
      </header>
      <ConversationList selectedId={selectedId} onStart={() => setStarting(true)} />
      <footer className="sidebar-foot">
        <Avatar person={me} size="small" />
        <span className="me-name" dir="auto">{me.displayName}</span>
        <button
          className="icon-button"
          aria-label="Notifications"
          title="Notifications"
          onClick={() => setNotifying(true)}
        >
          <Icon name="bell" />
        </button>
        <button className="icon-button" aria-label="Switch user" title="Switch user" onClick={onSwitchUser}>
          <Icon name="leave" />
        </button>
      </footer>
      {isNotifying && <NotificationsDialog onClose={() => setNotifying(false)} />}
      {isStarting && <NewConversationDialog onClose={() => setStarting(false)} />}
    </aside>
  );
}

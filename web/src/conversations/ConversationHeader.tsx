import { useState } from "react";
import type { InboxEntry } from "@parley/sdk";
import { lastSeen } from "../common/format.ts";
import { useStore } from "../common/useStore.ts";
import { useChat } from "../connection/context.ts";
import { Icon } from "../controls/icons.tsx";
import { Avatar, GroupAvatar } from "../people/Avatar.tsx";
import { partnerOf, titleOf, usePeople } from "../people/naming.ts";
import { useBlockedPartner } from "../people/useBlockedPartner.ts";
import { DetailsDialog } from "./DetailsDialog.tsx";

interface Props {
  conversationId: string;
  entry: InboxEntry | undefined;
}

export function ConversationHeader({ conversationId, entry }: Props) {
  const { client } = useChat();
  const find = usePeople();
  const [isOpen, setOpen] = useState(false);
  const partner = entry ? partnerOf(entry.conversation, client.userId) : null;

  return (
    <header className="conversation-head">
      <a className="icon-button back" href="#/" aria-label="Back to conversations">
        <Icon name="back" />
      </a>
      {partner === null ? <GroupAvatar id={conversationId} size="small" /> : <Avatar person={find(partner)} size="small" />}
      <div className="head-text">
        <h2 dir="auto">{entry ? titleOf(entry.conversation, client.userId, find) : "…"}</h2>
        {entry && <Subtitle entry={entry} partner={partner} />}
      </div>
      <button className="icon-button" aria-label="Details" disabled={!entry} onClick={() => setOpen(true)}>
        <Icon name="info" />
      </button>
      {isOpen && entry && <DetailsDialog entry={entry} onClose={() => setOpen(false)} />}
    </header>
  );
}

function Subtitle({ entry, partner }: { entry: InboxEntry; partner: string | null }) {
  const { client } = useChat();
  const presence = useStore(client.presence);
  const isBlocked = useBlockedPartner(entry) !== null;
  const { members } = entry.conversation;

  if (isBlocked) return <p className="subtitle">blocked</p>;
  if (partner !== null) {
    const current = presence.get(partner);
    if (current?.status === "online") return <p className="subtitle subtitle-online">online</p>;
    return <p className="subtitle">{lastSeen(current?.lastSeenAt ?? null) ?? ""}</p>;
  }
  const online = members.filter(({ userId }) => userId !== client.userId && presence.get(userId)?.status === "online");
  const count = members.length === 1 ? "1 member" : `${members.length} members`;
  return <p className="subtitle">{online.length > 0 ? `${count}, ${online.length} online` : count}</p>;
}

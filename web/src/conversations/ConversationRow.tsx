import { memo } from "react";
import type { InboxEntry } from "@parley/sdk";
import { shortWhen, summary } from "../common/format.ts";
import { conversationHref } from "../common/useRoute.ts";
import { useStore } from "../common/useStore.ts";
import { useChat } from "../connection/context.ts";
import { Icon } from "../controls/icons.tsx";
import { Avatar, GroupAvatar } from "../people/Avatar.tsx";
import { type FindPerson, partnerOf, titleOf, usePeople } from "../people/naming.ts";

interface Props {
  entry: InboxEntry;
  isSelected: boolean;
}

export const ConversationRow = memo(function ConversationRow({ entry, isSelected }: Props) {
  const { client } = useChat();
  const find = usePeople();
  const presence = useStore(client.presence);
  const typing = useStore(client.typing(entry.conversation.id));
  const { conversation, lastMessage } = entry;
  const partner = partnerOf(conversation, client.userId);
  const activityAt = lastMessage?.sentAt ?? conversation.createdAt;
  const isOnline = partner !== null && presence.get(partner)?.status === "online";

  return (
    <a
      className="conversation-row"
      href={conversationHref(conversation.id)}
      aria-current={isSelected ? "page" : undefined}
    >
      {partner === null ? (
        <GroupAvatar id={conversation.id} />
      ) : (
        <Avatar person={find(partner)} online={isOnline} />
      )}
      <span className="row-title" dir="auto">{titleOf(conversation, client.userId, find)}</span>
      <time className="row-when" dateTime={new Date(activityAt).toISOString()}>
        {shortWhen(activityAt)}
      </time>
      <span className="row-preview" dir="auto">
        {typing.length > 0 ? <em>typing…</em> : preview(entry, client.userId, find)}
      </span>
      <Badges entry={entry} />
    </a>
  );
});

function Badges({ entry: { muted, unreadCount } }: { entry: InboxEntry }) {
  return (
    <span className="row-badges">
      {muted && (
        <span role="img" aria-label="muted">
          <Icon name="muted" size={16} />
        </span>
      )}
      {unreadCount > 0 && (
        <span className={muted ? "unread unread-muted" : "unread"} aria-label={`${unreadCount} unread`} role="img">
          {unreadCount > 99 ? "99+" : unreadCount}
        </span>
      )}
    </span>
  );
}

function preview({ lastMessage, conversation }: InboxEntry, me: string, find: FindPerson): string {
  if (!lastMessage) return "No messages yet";
  if (lastMessage.kind === "system") return summary(lastMessage);
  const text = summary(lastMessage);
  if (lastMessage.senderId === me) return `You: ${text}`;
  return conversation.kind === "group" ? `${find(lastMessage.senderId).displayName}: ${text}` : text;
}

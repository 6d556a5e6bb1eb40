import type { Conversation, Member, Role } from "@parley/sdk";
import { useStore } from "../common/useStore.ts";
import { useChat } from "../connection/context.ts";
import { Icon } from "../controls/icons.tsx";
import { Avatar } from "../people/Avatar.tsx";
import { usePeople } from "../people/naming.ts";

interface Props {
  conversation: Conversation;
  ownRole: Role;
}

export function MemberList({ conversation, ownRole }: Props) {
  const { client, toasts } = useChat();
  const find = usePeople();
  const presence = useStore(client.presence);
  const { members } = conversation;

  return (
    <section>
      <h3>{members.length === 1 ? "1 member" : `${members.length} members`}</h3>
      <ul className="member-list">
        {members.map((member) => {
          const person = find(member.userId);
          return (
            <li key={member.userId}>
              <Avatar person={person} size="small" online={presence.get(member.userId)?.status === "online"} />
              <span className="member-name" dir="auto">
                {person.displayName}
                {member.userId === client.userId && " (you)"}
              </span>
              {member.role !== "member" && <span className="role">{member.role}</span>}
              {mayRemove(ownRole, member, client.userId) && (
                <button
                  className="icon-button"
                  aria-label={`Remove ${person.displayName}`}
                  onClick={() => void toasts.guard(() => client.removeMember(conversation.id, member.userId))}
                >
                  <Icon name="close" size={16} />
                </button>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** An owner may remove anybody, an admin only plain members. */
function mayRemove(ownRole: Role, member: Member, me: string): boolean {
  if (member.userId === me) return false;
  return ownRole === "owner" || (ownRole === "admin" && member.role === "member");
}

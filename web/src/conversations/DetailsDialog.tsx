import { useState } from "react";
import type { InboxEntry } from "@parley/sdk";
import { openList } from "../common/useRoute.ts";
import { useChat } from "../connection/context.ts";
import { Dialog } from "../controls/Dialog.tsx";
import { MuteButton } from "../notifications/MuteButton.tsx";
import { BlockButton } from "../people/BlockButton.tsx";
import { partnerOf, titleOf, usePeople } from "../people/naming.ts";
import { AddMembers } from "./AddMembers.tsx";
import { MemberList } from "./MemberList.tsx";
import { RenameForm } from "./RenameForm.tsx";

interface Props {
  entry: InboxEntry;
  onClose: () => void;
}

/** Shows the members of a conversation, and the changes that this user may make. */
export function DetailsDialog({ entry, onClose }: Props) {
  const { client } = useChat();
  const find = usePeople();
  const { conversation } = entry;
  const partner = partnerOf(conversation, client.userId);
  const ownRole = conversation.members.find((member) => member.userId === client.userId)?.role ?? "member";
  const mayManage = conversation.kind === "group" && ownRole !== "member";

  return (
    <Dialog title={titleOf(conversation, client.userId, find)} onClose={onClose}>
      {mayManage && <RenameForm conversation={conversation} />}
      {conversation.kind === "group" && <MemberList conversation={conversation} ownRole={ownRole} />}
      {mayManage && <AddMembers conversation={conversation} />}
      <div className="detail-actions">
        <MuteButton entry={entry} />
        {partner !== null && partner !== client.userId && <BlockButton userId={partner} />}
        {conversation.kind === "group" && <LeaveButton conversationId={conversation.id} onLeft={onClose} />}
      </div>
    </Dialog>
  );
}

function LeaveButton({ conversationId, onLeft }: { conversationId: string; onLeft: () => void }) {
  const { client, toasts } = useChat();
  const [isSure, setSure] = useState(false);

  async function leave() {
    const left = await toasts.guard(() => client.removeMember(conversationId, client.userId));
    if (!left) return;
    onLeft();
    openList();
  }

  if (!isSure) return <button onClick={() => setSure(true)}>Leave group</button>;
  return (
    <button className="danger" autoFocus onBlur={() => setSure(false)} onClick={() => void leave()}>
      Leave: are you sure?
    </button>
  );
}

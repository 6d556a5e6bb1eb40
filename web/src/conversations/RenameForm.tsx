import { type SubmitEvent, useState } from "react";
import type { Conversation } from "@parley/sdk";
import { useChat } from "../connection/context.ts";

export function RenameForm({ conversation }: { conversation: Conversation }) {
  const { client, toasts } = useChat();
  const [title, setTitle] = useState(conversation.title);
  const isNew = title.trim() !== "" && title.trim() !== conversation.title;

  function rename(event: SubmitEvent) {
    event.preventDefault();
    if (isNew) void toasts.guard(() => client.rename(conversation.id, title.trim()));
  }

  return (
    <form onSubmit={rename}>
      <label className="field" htmlFor="group-name">Name of the group</label>
      <div className="field-row">
        <input id="group-name" value={title} maxLength={200} dir="auto" onChange={(event) => setTitle(event.target.value)} />
        <button type="submit" disabled={!isNew}>Rename</button>
      </div>
    </form>
  );
}

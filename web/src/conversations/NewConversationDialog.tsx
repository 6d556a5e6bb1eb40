import { type SubmitEvent, useState } from "react";
import { openConversation } from "../common/useRoute.ts";
import { useChat } from "../connection/context.ts";
import { Dialog } from "../controls/Dialog.tsx";
import { PeoplePicker, useChosen } from "../people/PeoplePicker.tsx";

/** Starts a direct conversation with one person, or a group with several. */
export function NewConversationDialog({ onClose }: { onClose: () => void }) {
  const { client, toasts } = useChat();
  const [chosen, toggle] = useChosen();
  const [title, setTitle] = useState("");
  const [isBusy, setBusy] = useState(false);
  const isGroup = chosen.size > 1;
  const canStart = chosen.size > 0 && (!isGroup || title.trim() !== "") && !isBusy;

  async function start(event: SubmitEvent) {
    event.preventDefault();
    if (!canStart) return;
    setBusy(true);
    const people = [...chosen];
    const started = await toasts.guard(async () => {
      const conversation = isGroup
        ? await client.startGroup(title.trim(), people)
        : await client.startDirect(people[0] ?? "");
      openConversation(conversation.id);
    });
    setBusy(false);
    if (started) onClose();
  }

  return (
    <Dialog title="New conversation" onClose={onClose}>
      <form onSubmit={(event) => void start(event)}>
        <p className="hint">Choose one person, or several for a group.</p>
        <PeoplePicker chosen={chosen} onToggle={toggle} />
        {isGroup && (
          <label className="field">
            Name of the group
            <input value={title} maxLength={200} dir="auto" required onChange={(event) => setTitle(event.target.value)} />
          </label>
        )}
        <p className="button-row">
          <button type="button" onClick={onClose}>Cancel</button>
          <button className="primary" type="submit" disabled={!canStart}>
            {isGroup ? `Start group of ${chosen.size + 1}` : "Start"}
          </button>
        </p>
      </form>
    </Dialog>
  );
}

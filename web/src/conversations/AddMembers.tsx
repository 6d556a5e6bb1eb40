import { useState } from "react";
import type { Conversation } from "@parley/sdk";
import { useChat } from "../connection/context.ts";
import { PeoplePicker, useChosen } from "../people/PeoplePicker.tsx";

export function AddMembers({ conversation }: { conversation: Conversation }) {
  const [isOpen, setOpen] = useState(false);
  if (!isOpen) return <button onClick={() => setOpen(true)}>Add people</button>;
  return <Picker conversation={conversation} onDone={() => setOpen(false)} />;
}

function Picker({ conversation, onDone }: { conversation: Conversation; onDone: () => void }) {
  const { client, toasts } = useChat();
  const [chosen, toggle] = useChosen();
  const present = new Set(conversation.members.map((member) => member.userId));

  async function add() {
    if (await toasts.guard(() => client.addMembers(conversation.id, [...chosen]))) onDone();
  }

  return (
    <section>
      <h3>Add people</h3>
      <PeoplePicker chosen={chosen} without={present} onToggle={toggle} />
      <p className="button-row">
        <button onClick={onDone}>Cancel</button>
        <button className="primary" disabled={chosen.size === 0} onClick={() => void add()}>
          {chosen.size > 1 ? `Add ${chosen.size} people` : "Add"}
        </button>
      </p>
    </section>
  );
}

import { useState } from "react";
import { useStore } from "../common/useStore.ts";
import { useChat } from "../connection/context.ts";
import { usePeople } from "./naming.ts";

/** Blocks or unblocks a person; takes effect at once, for both sides. */
export function BlockButton({ userId }: { userId: string }) {
  const { blocks, toasts } = useChat();
  const name = usePeople()(userId).displayName;
  const blocked = useStore(blocks.store);
  const [isSure, setSure] = useState(false);
  const [isBusy, setBusy] = useState(false);

  async function change(work: () => Promise<void>) {
    setBusy(true);
    await toasts.guard(work);
    setBusy(false);
    setSure(false);
  }

  if (blocked?.has(userId)) {
    return (
      <button disabled={isBusy} onClick={() => void change(() => blocks.unblock(userId))}>
        Unblock
      </button>
    );
  }
  if (!isSure) {
    return (
      <button className="danger" disabled={blocked === null} onClick={() => setSure(true)}>
        Block
      </button>
    );
  }
  return (
    <button
      className="danger"
      autoFocus
      disabled={isBusy}
      onBlur={() => setSure(false)}
      onClick={() => void change(() => blocks.block(userId))}
    >
      Block {name}: are you sure?
    </button>
  );
}

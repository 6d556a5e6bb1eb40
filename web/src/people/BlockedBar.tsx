import { useState } from "react";
import { useChat } from "../connection/context.ts";
import { usePeople } from "./naming.ts";

/** Shown in place of the composer while this user blocks the other person. */
export function BlockedBar({ userId }: { userId: string }) {
  const { blocks, toasts } = useChat();
  const name = usePeople()(userId).displayName;
  const [isBusy, setBusy] = useState(false);

  async function unblock() {
    setBusy(true);
    await toasts.guard(() => blocks.unblock(userId));
    setBusy(false);
  }

  return (
    <div className="blocked-bar" role="status">
      <p>
        <strong>You blocked <bdi>{name}</bdi>.</strong> Neither of you can write to the other.
      </p>
      <button disabled={isBusy} onClick={() => void unblock()}>Unblock</button>
    </div>
  );
}

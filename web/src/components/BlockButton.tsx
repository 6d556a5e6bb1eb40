import { useState } from "react";
import { useChat } from "../chat/context.ts";

const KEY = "parley.blocked";

/** Block or unblock a person. The service takes blocks and does not list them, so this browser remembers its own. */
export function BlockButton({ userId }: { userId: string }) {
  const { client, notices } = useChat();
  const key = `${KEY}/${client.userId}/${userId}`;
  const [isBlocked, setBlocked] = useState(localStorage.getItem(key) !== null);

  async function toggle() {
    const changed = await notices.guard(() => (isBlocked ? client.api.unblock(userId) : client.api.block(userId)));
    if (!changed) return;
    if (isBlocked) localStorage.removeItem(key);
    else localStorage.setItem(key, "1");
    setBlocked(!isBlocked);
  }

  return (
    <button className={isBlocked ? "" : "danger"} onClick={() => void toggle()}>
      {isBlocked ? "Unblock" : "Block"}
    </button>
  );
}

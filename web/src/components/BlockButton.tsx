import { useEffect, useState } from "react";
import { useChat } from "../chat/context.ts";

/** Block a person or let them be heard again; takes effect at once, both ways. */
export function BlockButton({ userId }: { userId: string }) {
  const { client, notices } = useChat();
  const [isBlocked, setBlocked] = useState<boolean | null>(null);

  useEffect(() => {
    let current = true;
    void notices.guard(async () => {
      const { settings } = await client.api.me();
      if (current) setBlocked(settings.blocked.includes(userId));
    });
    return () => {
      current = false;
    };
  }, [client, notices, userId]);

  async function toggle() {
    const change = isBlocked ? client.api.unblock : client.api.block;
    if (await notices.guard(() => change(userId))) setBlocked(!isBlocked);
  }

  return (
    <button className={isBlocked ? "" : "danger"} disabled={isBlocked === null} onClick={() => void toggle()}>
      {isBlocked ? "Unblock" : "Block"}
    </button>
  );
}

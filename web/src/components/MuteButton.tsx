import type { InboxEntry } from "@parley/sdk";
import { useChat } from "../chat/context.ts";

const YEAR_MS = 365 * 86_400_000;

export function MuteButton({ entry }: { entry: InboxEntry }) {
  const { client, notices } = useChat();
  const until = () => (entry.muted ? null : Date.now() + YEAR_MS);
  return (
    <button
      aria-pressed={entry.muted}
      onClick={() => void notices.guard(() => client.mute(entry.conversation.id, until()))}
    >
      {entry.muted ? "Muted" : "Mute"}
    </button>
  );
}

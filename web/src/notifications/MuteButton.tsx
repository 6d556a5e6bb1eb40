import type { InboxEntry } from "@parley/sdk";
import { useChat } from "../connection/context.ts";

const YEAR_MS = 365 * 86_400_000;

export function MuteButton({ entry }: { entry: InboxEntry }) {
  const { client, toasts } = useChat();
  const until = () => (entry.muted ? null : Date.now() + YEAR_MS);
  return (
    <button
      aria-pressed={entry.muted}
      onClick={() => void toasts.guard(() => client.mute(entry.conversation.id, until()))}
    >
      {entry.muted ? "Muted" : "Mute"}
    </button>
  );
}

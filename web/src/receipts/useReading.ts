import { useEffect } from "react";
import type { TimelineSnapshot } from "@parley/sdk";
import { useChat } from "../connection/context.ts";
import { clearNotifications } from "../notifications/notifications.ts";

/** Marks a conversation read while its newest message is in view and the page is visible and has the focus. */
export function useReading({ conversationId, items }: TimelineSnapshot, isAtBottom: boolean): void {
  const { client } = useChat();
  const newest = items.findLast((item) => item.kind === "stored");
  const sequence = newest?.kind === "stored" ? newest.message.sequence : 0;

  useEffect(() => {
    if (!isAtBottom || sequence === 0) return;
    const mark = () => {
      if (document.visibilityState !== "visible" || !document.hasFocus()) return;
      client.markRead(conversationId, sequence);
      void clearNotifications(conversationId);
    };
    mark();
    window.addEventListener("focus", mark);
    document.addEventListener("visibilitychange", mark);
    return () => {
      window.removeEventListener("focus", mark);
      document.removeEventListener("visibilitychange", mark);
    };
  }, [client, conversationId, sequence, isAtBottom]);
}

import { useEffect } from "react";
import type { TimelineSnapshot } from "@parley/sdk";
import { useChat } from "./context.ts";
import { clearNotifications } from "./notifications.ts";

/** Marks a conversation read while its newest message is in view of somebody who looks at the page. */
export function useReading(timeline: TimelineSnapshot, isAtBottom: boolean): void {
  const { client } = useChat();

  useEffect(() => {
    const mark = () => {
      const newest = timeline.items.findLast((item) => item.kind === "stored");
      const isLooking = document.visibilityState === "visible" && document.hasFocus();
      if (isLooking && isAtBottom && newest?.kind === "stored") {
        client.markRead(timeline.conversationId, newest.message.sequence);
        void clearNotifications(timeline.conversationId);
      }
    };
    mark();
    window.addEventListener("focus", mark);
    document.addEventListener("visibilitychange", mark);
    return () => {
      window.removeEventListener("focus", mark);
      document.removeEventListener("visibilitychange", mark);
    };
  }, [client, timeline, isAtBottom]);
}

import { useEffect } from "react";
import { openConversation } from "./useRoute.ts";

/** Whether this browser could show notifications of the page at all. */
export function canNotify(): boolean {
  return "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
}

export function serviceWorker(): Promise<ServiceWorkerRegistration> {
  return navigator.serviceWorker.register("/sw.js").then(() => navigator.serviceWorker.ready);
}

/** Go where a click on a notification points. */
export function useNotificationClicks(): void {
  useEffect(() => {
    if (!canNotify()) return;
    const onMessage = ({ data }: MessageEvent<{ kind?: string; conversationId?: string }>) => {
      if (data.kind === "open-conversation" && data.conversationId) openConversation(data.conversationId);
    };
    navigator.serviceWorker.addEventListener("message", onMessage);
    return () => navigator.serviceWorker.removeEventListener("message", onMessage);
  }, []);
}

import { useEffect } from "react";
import { openConversation } from "../common/useRoute.ts";

/** Whether this browser can show notifications of the page. */
export function canNotify(): boolean {
  return "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
}

export function serviceWorker(): Promise<ServiceWorkerRegistration> {
  return navigator.serviceWorker.register("/sw.js").then(() => navigator.serviceWorker.ready);
}

/** Close the notifications of a conversation that was read. */
export async function clearNotifications(conversationId: string): Promise<void> {
  if (!canNotify()) return;
  const registration = await navigator.serviceWorker.getRegistration();
  for (const shown of (await registration?.getNotifications({ tag: conversationId })) ?? []) shown.close();
}

/** Keeps the service worker up to date, and opens the conversation of a notification that was clicked. */
export function useNotificationClicks(): void {
  useEffect(() => {
    if (!canNotify()) return;
    serviceWorker().catch(() => undefined); // A browser may forbid it; the switch says so when it is used.
    const onMessage = ({ data }: MessageEvent<{ kind?: string; conversationId?: string }>) => {
      if (data.kind === "open-conversation" && data.conversationId) openConversation(data.conversationId);
    };
    navigator.serviceWorker.addEventListener("message", onMessage);
    return () => navigator.serviceWorker.removeEventListener("message", onMessage);
  }, []);
}

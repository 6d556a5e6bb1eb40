import { useSyncExternalStore } from "react";

const PREFIX = "#/c/";

function subscribe(listener: () => void): () => void {
  window.addEventListener("hashchange", listener);
  return () => window.removeEventListener("hashchange", listener);
}

/** The id of the conversation in the address; null for the list. */
export function useRoute(): string | null {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  return hash.startsWith(PREFIX) ? decode(hash.slice(PREFIX.length)) : null;
}

export function conversationHref(conversationId: string): string {
  return PREFIX + encodeURIComponent(conversationId);
}

export function openConversation(conversationId: string): void {
  location.hash = conversationHref(conversationId);
}

export function openList(): void {
  location.hash = "#/";
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

import { useEffect } from "react";
import { useStore } from "../common/useStore.ts";
import { useChat } from "../connection/context.ts";

/** Watches the presence of the people on screen: the open conversation's members first, then the people in the list. */
export function useWatchedPresence(conversationId: string | null): void {
  const { client } = useChat();
  const { entries } = useStore(client.inbox);

  useEffect(() => {
    const open = entries.find((entry) => entry.conversation.id === conversationId);
    const direct = entries.filter((entry) => entry.conversation.kind === "direct");
    const conversations = [...(open ? [open] : []), ...direct].map((entry) => entry.conversation);
    client.watchPresence(conversations.flatMap(({ members }) => members.map((member) => member.userId)));
  }, [client, entries, conversationId]);
}

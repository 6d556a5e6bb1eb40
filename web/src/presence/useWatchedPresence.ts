import { useEffect } from "react";
import { useStore } from "../common/useStore.ts";
import { useChat } from "../connection/context.ts";

/** Watch those on screen: the members of the open conversation first, then the people of the list. */
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

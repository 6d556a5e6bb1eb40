import { useEffect } from "react";
import { useStore } from "../common/useStore.ts";
import { useChat } from "../connection/context.ts";

/** Loads the names of all members of the listed conversations. */
export function useNames(): void {
  const { client, directory } = useChat();
  const { entries } = useStore(client.inbox);
  const isLoaded = useStore(directory.store).contacts !== null;

  useEffect(() => {
    if (!isLoaded) return;
    void directory.loadNames(new Set(entries.flatMap(({ conversation }) => conversation.members.map((member) => member.userId))));
  }, [directory, entries, isLoaded]);
}

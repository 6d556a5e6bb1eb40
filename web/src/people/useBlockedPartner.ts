import type { InboxEntry } from "@parley/sdk";
import { useStore } from "../common/useStore.ts";
import { useChat } from "../connection/context.ts";
import { partnerOf } from "./naming.ts";

/** The other person of a direct conversation, if this user blocks them; else null. */
export function useBlockedPartner(entry: InboxEntry | undefined): string | null {
  const { client, blocks } = useChat();
  const blocked = useStore(blocks.store);
  const partner = entry ? partnerOf(entry.conversation, client.userId) : null;
  return partner !== null && blocked?.has(partner) ? partner : null;
}

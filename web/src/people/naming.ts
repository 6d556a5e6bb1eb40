import type { Conversation } from "@parley/sdk";
import { useStore } from "../common/useStore.ts";
import { useChat } from "../connection/context.ts";
import type { Person } from "./directory.ts";

export type FindPerson = (userId: string) => Person;

/** Find people by id; an unknown person is shown by their id. */
export function usePeople(): FindPerson {
  const { people } = useStore(useChat().directory.store);
  return (userId) => people.get(userId) ?? { userId, displayName: userId, avatarUrl: null };
}

/** The other person of a direct conversation; null for a group. */
export function partnerOf(conversation: Conversation, me: string): string | null {
  if (conversation.kind !== "direct") return null;
  return conversation.members.find((member) => member.userId !== me)?.userId ?? me;
}

export function titleOf(conversation: Conversation, me: string, find: FindPerson): string {
  const partner = partnerOf(conversation, me);
  if (partner !== null) return find(partner).displayName;
  if (conversation.title) return conversation.title;
  const names = conversation.members.filter((member) => member.userId !== me);
  return names.map((member) => find(member.userId).displayName).join(", ") || "Only you";
}

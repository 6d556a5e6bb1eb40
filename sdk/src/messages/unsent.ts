import type { Message } from "../types.ts";
import type { OutboxEntry } from "./outbox-entry.ts";

/**
 * Place unsent messages where they were written: after the stored messages that existed at the time.
 *
 * `entries` come oldest first. A later message of somebody else moves none of them, so a refused message stays
 * beside the message that it answers. This user's own earlier messages count as existing at the time even if they
 * were stored since: ids grow with the time of writing (UUIDv7), so two messages written offline keep their order
 * while the first is stored and the second is not.
 */
export function interleave<T>(
  stored: readonly Message[],
  entries: readonly OutboxEntry[],
  userId: string,
  make: { stored(message: Message): T; unsent(entry: OutboxEntry): T },
): T[] {
  const placed = entries.map((entry) => ({ entry, index: indexAfter(stored, entry, userId) }));
  placed.sort((a, b) => a.index - b.index);
  const items: T[] = [];
  let next = 0;
  for (let index = 0; index <= stored.length; index += 1) {
    for (let unsent = placed[next]; unsent?.index === index; unsent = placed[++next]) items.push(make.unsent(unsent.entry));
    const message = stored[index];
    if (message) items.push(make.stored(message));
  }
  return items;
}

/** How many of `stored` stand above `entry`. */
function indexAfter(stored: readonly Message[], entry: OutboxEntry, userId: string): number {
  const { after = Infinity, clientMessageId } = entry;
  const above = stored.findLastIndex(
    (message) =>
      message.sequence <= after || (message.senderId === userId && message.clientMessageId < clientMessageId),
  );
  return above + 1;
}

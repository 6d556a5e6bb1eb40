import type { Member, Message, MessageStatus, Receipt } from "../types.ts";

export interface Watermarks {
  readonly delivered: number;
  readonly read: number;
}

const NONE: Watermarks = { delivered: 0, read: 0 };
const RANK: Record<MessageStatus, number> = { sent: 0, delivered: 1, read: 2 };

/** How far each member of one conversation has got. Merging takes the maximum, so a late or repeated receipt changes nothing. */
export class Receipts {
  readonly #marks = new Map<string, Watermarks>();

  of(userId: string): Watermarks {
    return this.#marks.get(userId) ?? NONE;
  }

  all(): ReadonlyMap<string, Watermarks> {
    return new Map(this.#marks);
  }

  merge(receipt: Pick<Receipt, "userId" | "delivered" | "read">): void {
    const current = this.of(receipt.userId);
    const read = Math.max(current.read, receipt.read);
    this.#marks.set(receipt.userId, { read, delivered: Math.max(current.delivered, receipt.delivered, read) });
  }

  /** The author of a message has read everything up to it. */
  mergeAuthor(message: Message): void {
    this.merge({ userId: message.senderId, delivered: message.sequence, read: message.sequence });
  }

  /** The status that the sender of `message` sees: read or delivered once every other member who may see it has got that far. */
  statusOf(message: Message, members: readonly Member[]): MessageStatus {
    const others = members.filter(
      (member) => member.userId !== message.senderId && member.historyFrom <= message.sequence,
    );
    const marks = others.map((member) => this.of(member.userId));
    const status = marks.length === 0 ? "sent" : least(marks, message.sequence);
    return RANK[status] >= RANK[message.status] ? status : message.status;
  }
}

function least(marks: readonly Watermarks[], sequence: number): MessageStatus {
  if (marks.every((mark) => mark.read >= sequence)) return "read";
  return marks.every((mark) => mark.delivered >= sequence) ? "delivered" : "sent";
}

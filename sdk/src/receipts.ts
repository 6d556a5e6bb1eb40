import type { Member, Message, MessageStatus, Receipt } from "./types.ts";

export interface Watermarks {
  readonly delivered: number;
  readonly read: number;
}

const NONE: Watermarks = { delivered: 0, read: 0 };
const RANK: Record<MessageStatus, number> = { sent: 0, delivered: 1, read: 2 };

/** How far each member of one conversation has got. Merging takes the maximum, so nothing moves back. */
export class Receipts {
  readonly #marks = new Map<string, Watermarks>();

  of(userId: string): Watermarks {
    return this.#marks.get(userId) ?? NONE;
  }

  all(): ReadonlyMap<string, Watermarks> {
    return new Map(this.#marks);
  }

  merge(receipt: Pick<Receipt, "userId" | "delivered" | "read">): void {
    const old = this.of(receipt.userId);
    const read = Math.max(old.read, receipt.read);
    this.#marks.set(receipt.userId, { read, delivered: Math.max(old.delivered, receipt.delivered, read) });
  }

  /** Whoever wrote a message has read everything up to it. */
  mergeAuthor(message: Message): void {
    this.merge({ userId: message.senderId, delivered: message.sequence, read: message.sequence });
  }

  /** What the sender of `message` sees: the least that any other member who may see it has done. */
  statusOf(message: Message, members: readonly Member[]): MessageStatus {
    const others = members.filter(
      (member) => member.userId !== message.senderId && member.historyFrom <= message.sequence,
    );
    const marks = others.map((member) => this.of(member.userId));
    const known = marks.length === 0 ? "sent" : least(marks, message.sequence);
    return RANK[known] >= RANK[message.status] ? known : message.status;
  }
}

function least(marks: readonly Watermarks[], sequence: number): MessageStatus {
  if (marks.every((mark) => mark.read >= sequence)) return "read";
  return marks.every((mark) => mark.delivered >= sequence) ? "delivered" : "sent";
}

import type { AttachmentRef, Message } from "./types.ts";

/** The sequences a timeline knows to exist and does not have, both ends included. */
export interface Gap {
  first: number;
  last: number;
}

/**
 * The stored messages of one conversation that this client has, without holes.
 *
 * Messages may be offered in any order and any number of times. Those that follow the newest one are
 * shown; those beyond a hole are held back until `gap()` has been fetched and filled. Only an answer
 * of history may leave a hole open for good (a member who left and came back has one).
 */
export class Timeline {
  #items: readonly Message[] = [];
  readonly #held = new Map<number, Message>();
  #head = 0;
  #base = 0;
  #loaded = false;
  #atStart = false;

  get items(): readonly Message[] {
    return this.#items;
  }

  get first(): number {
    return this.#items[0]?.sequence ?? 0;
  }

  /** The newest item's sequence; without items, the sequence after which the first will come. */
  get last(): number {
    return this.#items.at(-1)?.sequence ?? this.#base;
  }

  /** Whether history's newest page has been taken; until then everything is held back. */
  get loaded(): boolean {
    return this.#loaded;
  }

  /** The newest sequence known to exist, shown or not. */
  get head(): number {
    return this.#head;
  }

  /** Whether nothing lies before the first item. */
  get atStart(): boolean {
    return this.#atStart;
  }

  /** What is missing between the last item and the newest message known; null when nothing is. */
  gap(): Gap | null {
    if (!this.#loaded || this.last >= this.#head) return null;
    const nearest = Math.min(this.#head + 1, ...this.#held.keys());
    return { first: this.last + 1, last: nearest - 1 };
  }

  noteHead(sequence: number): void {
    this.#head = Math.max(this.#head, sequence);
  }

  /** Take a message that was pushed, synced or acknowledged. */
  offer(message: Message): void {
    this.noteHead(message.sequence);
    if (message.sequence <= this.last) return;
    this.#held.set(message.sequence, message);
    this.#drain();
  }

  /** Take history's newest page: joins what is here, or replaces it when they do not touch. */
  adoptNewest(page: readonly Message[], latest: number): void {
    this.noteHead(latest);
    const start = page[0]?.sequence;
    if (start === undefined) this.#startEmpty(latest);
    else if (!this.#loaded || start > this.last + 1) this.#restart(page, start);
    else this.#append(page);
    this.#drain();
  }

  /** Take history's answer to "after `position`", where `position` was the last item. */
  absorbAfter(position: number, page: readonly Message[], latest: number): void {
    this.noteHead(latest);
    if (position === this.last || (page[0]?.sequence ?? 0) <= this.last + 1) this.#append(page);
    this.#drain();
  }

  /** Take history's answer to "before the first item"; an empty one says that this is the start. */
  absorbBefore(page: readonly Message[]): void {
    const older = page.filter((message) => message.sequence < this.first);
    if (older.length > 0) this.#items = [...older, ...this.#items];
    if (page.length === 0 || this.first === 1) this.#atStart = true;
  }

  replaceAttachment(sequence: number, attachment: AttachmentRef): void {
    this.#items = this.#items.map((message) =>
      message.sequence === sequence ? withAttachment(message, attachment) : message,
    );
  }

  #startEmpty(latest: number): void {
    if (this.#loaded) return;
    this.#loaded = true;
    this.#atStart = true;
    this.#base = latest;
  }

  #restart(page: readonly Message[], start: number): void {
    this.#loaded = true;
    this.#items = page;
    this.#atStart = start === 1;
  }

  #append(page: readonly Message[]): void {
    const newer = page.filter((message) => message.sequence > this.last);
    if (newer.length > 0) this.#items = [...this.#items, ...newer];
  }

  #drain(): void {
    const next: Message[] = [];
    let last = this.last;
    if (!this.#loaded) return;
    for (let held = this.#held.get(last + 1); held; held = this.#held.get(++last + 1)) next.push(held);
    if (next.length > 0) this.#items = [...this.#items, ...next];
    for (const sequence of this.#held.keys()) if (sequence <= this.last) this.#held.delete(sequence);
  }
}

function withAttachment(message: Message, attachment: AttachmentRef): Message {
  const attachments = message.attachments.map((old) =>
    old.attachmentId === attachment.attachmentId ? attachment : old,
  );
  return { ...message, attachments };
}

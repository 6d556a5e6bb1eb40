import type { AttachmentRef, Message } from "../types.ts";

/** Sequences that exist and that a timeline does not have, both ends included. */
export interface Gap {
  first: number;
  last: number;
}

/**
 * The stored messages of one conversation that this client has, without gaps.
 *
 * Pushes may be lost, doubled or reordered, and answers of history may be older than a push, so messages may be
 * merged in any order and any number of times. The timeline appends a message only if its sequence follows that
 * of the last item; messages beyond a gap are held back, and `gap()` says what to fetch. This is safe because the
 * service gives sequences 1, 2, 3 ... without a gap: a missing number is a message that exists. Only an answer of
 * history may leave a gap for good, since history is complete (a member who left and came back may not read what
 * was written in between). sdk/test/messages/timeline.test.ts proves the rules, the properties in
 * open-conversation.test.ts that any loss, doubling and order of pushes ends in the stored history.
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

  /** The newest item's sequence; without items, the sequence after which the first message will come. */
  get last(): number {
    return this.#items.at(-1)?.sequence ?? this.#base;
  }

  /** Whether history's newest page has been merged; until then everything is held back. */
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

  /** The sequences missing after the last item; null when there are none. */
  gap(): Gap | null {
    if (!this.#loaded || this.last >= this.#head) return null;
    const nearest = Math.min(this.#head + 1, ...this.#held.keys());
    return { first: this.last + 1, last: nearest - 1 };
  }

  mergeHead(sequence: number): void {
    this.#head = Math.max(this.#head, sequence);
  }

  /** Merge a message from a push, a sync or the answer to a send. */
  merge(message: Message): void {
    this.mergeHead(message.sequence);
    if (message.sequence <= this.last) return;
    this.#held.set(message.sequence, message);
    this.#appendHeld();
  }

  /** Merge history's newest page: appends it to the items, or replaces them when there is a gap between the two. */
  mergeNewest(page: readonly Message[], latest: number): void {
    this.mergeHead(latest);
    const start = page[0]?.sequence;
    if (start === undefined) this.#startEmpty(latest);
    else if (!this.#loaded || start > this.last + 1) this.#restart(page, start);
    else this.#append(page);
    this.#appendHeld();
  }

  /** Merge history's answer to "after `position`", where `position` was the last item when it was asked for. */
  mergeAfter(position: number, page: readonly Message[], latest: number): void {
    this.mergeHead(latest);
    if (position === this.last || (page[0]?.sequence ?? 0) <= this.last + 1) this.#append(page);
    this.#appendHeld();
  }

  /** Merge history's answer to "before the first item"; an empty one says that the first item is the start. */
  mergeBefore(page: readonly Message[]): void {
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

  /** Append the held messages that follow the last item, and forget those that the items have overtaken. */
  #appendHeld(): void {
    if (!this.#loaded) return;
    const next: Message[] = [];
    let { last } = this;
    for (let held = this.#held.get(last + 1); held; held = this.#held.get(++last + 1)) next.push(held);
    if (next.length > 0) this.#items = [...this.#items, ...next];
    for (const sequence of this.#held.keys()) if (sequence <= this.last) this.#held.delete(sequence);
  }
}

function withAttachment(message: Message, attachment: AttachmentRef): Message {
  const attachments = message.attachments.map((other) =>
    other.attachmentId === attachment.attachmentId ? attachment : other,
  );
  return { ...message, attachments };
}

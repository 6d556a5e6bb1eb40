import { type ReadableStore, Store } from "../common/store.ts";

const REPEAT_MS = 3_000;
const IDLE_MS = 4_000;
const EXPIRY_MS = 6_000;
const NOBODY: readonly string[] = [];

/** Sends that this user types, at most every 3 s, and that they stopped, 4 s after the last keystroke. */
export class TypingSender {
  readonly #send: (conversationId: string, typing: boolean) => void;
  #conversationId: string | null = null;
  #sentAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(send: (conversationId: string, typing: boolean) => void) {
    this.#send = send;
  }

  keystroke(conversationId: string): void {
    if (this.#conversationId !== conversationId) this.stop();
    const now = Date.now();
    if (this.#conversationId === null || now - this.#sentAt >= REPEAT_MS) {
      this.#conversationId = conversationId;
      this.#sentAt = now;
      this.#send(conversationId, true);
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.stop(), IDLE_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    if (this.#conversationId !== null) this.#send(this.#conversationId, false);
    this.#conversationId = null;
  }
}

/** Knows who types in which conversation; forgets it 6 s after the last push, since the push of "stopped" may be lost. */
export class TypingWatch {
  readonly #stores = new Map<string, Store<readonly string[]>>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();

  store(conversationId: string): ReadableStore<readonly string[]> {
    return this.#storeOf(conversationId);
  }

  setTyping(conversationId: string, userId: string, typing: boolean): void {
    const key = `${conversationId}/${userId}`;
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
    const store = this.#storeOf(conversationId);
    const others = store.get().filter((other) => other !== userId);
    if (typing) {
      this.#timers.set(key, setTimeout(() => this.setTyping(conversationId, userId, false), EXPIRY_MS));
      store.set([...others, userId]);
    } else if (others.length !== store.get().length) {
      store.set(others);
    }
  }

  stop(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #storeOf(conversationId: string): Store<readonly string[]> {
    const store = this.#stores.get(conversationId) ?? new Store(NOBODY);
    this.#stores.set(conversationId, store);
    return store;
  }
}

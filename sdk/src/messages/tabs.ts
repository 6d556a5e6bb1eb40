/** Coordinates the tabs of one user: one of them, the leader, sends the outbox; all of them learn what changed in it. */
export interface Tabs {
  /** Run `lead` once this tab is the leader; it stays the leader until `close`. */
  onLeader(lead: () => void): void;
  post(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  close(): void;
}

/** For a process whose outbox no other process shares. */
export class SingleTab implements Tabs {
  onLeader(lead: () => void): void {
    lead();
  }

  post(): void {
    // There is no other tab to listen.
  }

  onMessage(): void {
    // There is no other tab to post.
  }

  close(): void {
    // There is no other tab to take over.
  }
}

/** Elects the leader by a Web Lock, which the browser releases when a tab closes or crashes; posts by BroadcastChannel. */
export class BrowserTabs implements Tabs {
  readonly #name: string;
  readonly #channel: BroadcastChannel;
  readonly #closing = new AbortController();

  constructor(userId: string) {
    this.#name = `parley-outbox/${userId}`;
    this.#channel = new BroadcastChannel(this.#name);
  }

  onLeader(lead: () => void): void {
    const { signal } = this.#closing;
    // The browser may grant the lock at the moment at which this tab closes. It must then be given back at once: no
    // abort follows any more, and as long as the lock is held no other client of this user sends.
    const whileHeld = (): Promise<void> => {
      if (signal.aborted) return Promise.resolve();
      lead();
      return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
    };
    navigator.locks.request(this.#name, { signal }, whileHeld).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  post(message: unknown): void {
    if (!this.#closing.signal.aborted) this.#channel.postMessage(message);
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#channel.addEventListener("message", (event) => listener(event.data));
  }

  close(): void {
    this.#closing.abort();
    this.#channel.close();
  }
}

export function defaultTabs(userId: string): Tabs {
  const isBrowser = typeof window !== "undefined" && typeof BroadcastChannel !== "undefined";
  return isBrowser && "locks" in navigator ? new BrowserTabs(userId) : new SingleTab();
}

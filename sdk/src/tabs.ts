/**
 * What the tabs of one user do together: one of them, the leader, sends the outbox; all of them hear
 * when it changed.
 */
export interface Tabs {
  /** Run `lead` once this tab is the leader; it stays the leader until `close`. */
  onLeader(lead: () => void): void;
  post(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  close(): void;
}

/** A process that shares its outbox with nobody. */
export class SingleTab implements Tabs {
  onLeader(lead: () => void): void {
    lead();
  }

  post(): void {
    // Nobody else listens.
  }

  onMessage(): void {
    // Nobody else posts.
  }

  close(): void {
    // Nobody else takes over.
  }
}

/** Tabs that agree by Web Locks and talk by BroadcastChannel. */
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
    const held = (): Promise<void> => {
      lead();
      return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
    };
    navigator.locks.request(this.#name, { signal }, held).catch((error: unknown) => {
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

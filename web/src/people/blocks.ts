import { type ChatClient, type ReadableStore, Store } from "@parley/sdk";

/** The users whom this user blocks; null until they are loaded. */
export class Blocks {
  readonly #client: ChatClient;
  readonly #store = new Store<ReadonlySet<string> | null>(null);

  constructor(client: ChatClient) {
    this.#client = client;
  }

  get store(): ReadableStore<ReadonlySet<string> | null> {
    return this.#store;
  }

  /**
   * Read the blocks, now and whenever one may have been put on another device: when a message is refused for
   * one, and when this page is back after it was away or hidden. Nothing tells a connected page of it meanwhile.
   */
  start(page?: Pick<Document, "addEventListener" | "visibilityState">): void {
    let online = true; // the first reading is below
    this.#client.connection.subscribe(() => {
      const { phase } = this.#client.connection.get();
      if (phase === "online" && !online) this.#reload();
      online = phase === "online";
    });
    page?.addEventListener("visibilitychange", () => {
      if (page.visibilityState === "visible") this.#reload();
    });
    const refused = () =>
      this.#client.outbox.get().entries.filter((entry) => entry.failure?.code === "blocked").length;
    let before = refused();
    this.#client.outbox.subscribe(() => {
      const now = refused();
      if (now > before) this.#reload();
      before = now;
    });
    this.#reload();
  }

  #reload(): void {
    void this.load().catch(() => undefined);
  }

  async load(): Promise<void> {
    const { settings } = await this.#client.api.me();
    this.#store.set(new Set(settings.blocked));
  }

  async block(userId: string): Promise<void> {
    await this.#client.api.block(userId);
    this.#store.set(new Set([...(this.#store.get() ?? []), userId]));
  }

  async unblock(userId: string): Promise<void> {
    await this.#client.api.unblock(userId);
    this.#store.set(new Set([...(this.#store.get() ?? [])].filter((other) => other !== userId)));
  }
}

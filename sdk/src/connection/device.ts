export interface DeviceOptions {
  onNetwork(online: boolean): void;
  /** The page is visible again after it was hidden for 30 seconds or more. */
  onReturn(): void;
}

const HIDDEN_LONG_MS = 30_000;

/** Reports changes of the browser's network and of the page's visibility; outside a browser it reports nothing. */
export class Device {
  readonly #options: DeviceOptions;
  readonly #abort = new AbortController();
  #hiddenAt: number | null = null;

  constructor(options: DeviceOptions) {
    this.#options = options;
  }

  start(): void {
    if (typeof window === "undefined") return;
    const { signal } = this.#abort;
    window.addEventListener("online", () => this.#options.onNetwork(true), { signal });
    window.addEventListener("offline", () => this.#options.onNetwork(false), { signal });
    document.addEventListener("visibilitychange", () => this.#visibilityChanged(), { signal });
  }

  stop(): void {
    this.#abort.abort();
  }

  #visibilityChanged(): void {
    if (document.visibilityState === "hidden") {
      this.#hiddenAt = Date.now();
      return;
    }
    const wasLong = this.#hiddenAt !== null && Date.now() - this.#hiddenAt >= HIDDEN_LONG_MS;
    this.#hiddenAt = null;
    if (wasLong) this.#options.onReturn();
  }
}

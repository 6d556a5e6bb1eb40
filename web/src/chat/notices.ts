import { type ReadableStore, Store } from "@parley/sdk";
import { explain } from "./explain.ts";

export interface Notice {
  id: number;
  text: string;
}

const SHOWN_MS = 6_000;

/** Short sentences about what just failed, each shown for a few seconds. */
export class Notices {
  readonly #store = new Store<readonly Notice[]>([]);
  #nextId = 1;

  get store(): ReadableStore<readonly Notice[]> {
    return this.#store;
  }

  say(text: string): void {
    const notice = { id: this.#nextId++, text };
    this.#store.set([...this.#store.get().slice(-2), notice]);
    setTimeout(() => this.dismiss(notice.id), SHOWN_MS);
  }

  dismiss(id: number): void {
    this.#store.set(this.#store.get().filter((notice) => notice.id !== id));
  }

  /** Run what a click asked for; if it fails, say why and what to do. Returns whether it succeeded. */
  async guard(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.say(explain(error));
      return false;
    }
  }
}

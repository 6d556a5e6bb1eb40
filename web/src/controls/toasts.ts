import { type ReadableStore, Store } from "@parley/sdk";
import { explain } from "../common/explain.ts";

export interface Toast {
  id: number;
  text: string;
}

const SHOWN_MS = 6_000;

/** Short messages about what just failed, each shown for six seconds. */
export class Toasts {
  readonly #store = new Store<readonly Toast[]>([]);
  #nextId = 1;

  get store(): ReadableStore<readonly Toast[]> {
    return this.#store;
  }

  show(text: string): void {
    const toast = { id: this.#nextId++, text };
    this.#store.set([...this.#store.get().slice(-2), toast]);
    setTimeout(() => this.dismiss(toast.id), SHOWN_MS);
  }

  dismiss(id: number): void {
    this.#store.set(this.#store.get().filter((toast) => toast.id !== id));
  }

  /** Show why something failed; returns null in place of its result. */
  readonly showError = (error: unknown): null => {
    this.show(explain(error));
    return null;
  };

  /** Run the work of a click; if it fails, show why and what to do. Returns whether it succeeded. */
  guard(work: () => Promise<unknown>): Promise<boolean> {
    return work().then(() => true, (error: unknown) => {
      this.showError(error);
      return false;
    });
  }
}

import type { ReadableStore } from "@parley/sdk";
import { Frames } from "./frames.ts";

const frames = new Frames();

/**
 * A store's snapshot as of the latest frame: it changes at most once a frame, however often the source does.
 *
 * The client publishes with every push. If each change reached React, a push could arrive, or an effect could
 * publish (marking as read changes the inbox), while React is committing the change before. React renders such
 * an update synchronously and counts it as nested; after 50 in a row it gives up ("Maximum update depth
 * exceeded") and removes the page. A slow phone that receives many messages reaches that limit. Snapshots that
 * change only between frames end every chain of updates with its frame: what an effect changes shows in the next.
 * tests/e2e/flood.test.mjs proves it in a browser, web/test/common/frame-store.test.ts counts the updates.
 */
export class FrameStore<T> implements ReadableStore<T> {
  readonly #source: ReadableStore<T>;
  readonly #listeners = new Set<() => void>();
  #value: T;
  #unsubscribe: (() => void) | null = null;

  constructor(source: ReadableStore<T>) {
    this.#source = source;
    this.#value = source.get();
  }

  /** The latest frame's snapshot; while nobody listens, the source's own. */
  readonly get = (): T => {
    if (!this.#unsubscribe) this.#value = this.#source.get();
    return this.#value;
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (!this.#unsubscribe) {
      this.#value = this.#source.get();
      this.#unsubscribe = this.#source.subscribe(() => frames.request(this.#publish));
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#unsubscribe?.();
      this.#unsubscribe = null;
    };
  };

  readonly #publish = (): void => {
    const value = this.#source.get();
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) listener();
  };
}

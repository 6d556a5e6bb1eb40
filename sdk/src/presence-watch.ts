import { type ReadableStore, Store } from "./store.ts";
import type { Presence } from "./types.ts";

const MOST = 50;
const SETTLE_MS = 200;

/** Who is online, of those on screen (at most 50: the service's limit). */
export class PresenceWatch {
  readonly #watch: (userIds: string[]) => Promise<Presence[]>;
  readonly #store = new Store<ReadonlyMap<string, Presence>>(new Map());
  #wanted: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(watch: (userIds: string[]) => Promise<Presence[]>) {
    this.#watch = watch;
  }

  get store(): ReadableStore<ReadonlyMap<string, Presence>> {
    return this.#store;
  }

  /** Replace the set of users on screen, the most important first. */
  set(userIds: readonly string[]): void {
    const wanted = [...new Set(userIds)].slice(0, MOST);
    const known = new Set(this.#wanted);
    if (wanted.length === known.size && wanted.every((id) => known.has(id))) return;
    this.#wanted = wanted;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.renew(), SETTLE_MS);
  }

  /** Say the set again: watching ends with its connection. */
  async renew(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#wanted.length === 0) return;
    const items = await this.#watch(this.#wanted).catch(() => []);
    this.take(items);
  }

  take(items: readonly Presence[]): void {
    if (items.length === 0) return;
    const next = new Map(this.#store.get());
    for (const item of items) next.set(item.userId, item);
    this.#store.set(next);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

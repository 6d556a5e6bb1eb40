import { type ReadableStore, Store } from "../common/store.ts";
import type { Presence } from "../types.ts";

const MAX_USERS = 50;
const SETTLE_MS = 200;

/** Knows which of the users on screen are online; at most 50, the service's limit. */
export class PresenceWatch {
  readonly #watch: (userIds: string[]) => Promise<Presence[]>;
  readonly #store = new Store<ReadonlyMap<string, Presence>>(new Map());
  #userIds: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(watch: (userIds: string[]) => Promise<Presence[]>) {
    this.#watch = watch;
  }

  get store(): ReadableStore<ReadonlyMap<string, Presence>> {
    return this.#store;
  }

  /** Replace the set of users on screen, the most important first. */
  set(userIds: readonly string[]): void {
    const next = [...new Set(userIds)].slice(0, MAX_USERS);
    const current = new Set(this.#userIds);
    if (next.length === current.size && next.every((id) => current.has(id))) return;
    this.#userIds = next;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.resend(), SETTLE_MS);
  }

  /** Send the set to the service, which forgets it when a connection ends. */
  async resend(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#userIds.length === 0) return;
    this.merge(await this.#watch(this.#userIds).catch(() => []));
  }

  merge(items: readonly Presence[]): void {
    if (items.length === 0) return;
    const next = new Map(this.#store.get());
    for (const item of items) next.set(item.userId, item);
    this.#store.set(next);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

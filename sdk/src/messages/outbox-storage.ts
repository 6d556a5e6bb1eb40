import type { OutboxEntry, OutboxStorage } from "./outbox-entry.ts";

/** Keeps the outbox in memory, for as long as the process lives. */
export class MemoryOutboxStorage implements OutboxStorage {
  readonly isDurable = false;
  readonly #entries = new Map<string, OutboxEntry>();

  list(userId: string): Promise<OutboxEntry[]> {
    const own = [...this.#entries.values()].filter((entry) => entry.userId === userId);
    return Promise.resolve(inOrder(own));
  }

  put(entry: OutboxEntry): Promise<void> {
    this.#entries.set(entry.clientMessageId, entry);
    return Promise.resolve();
  }

  delete(entry: OutboxEntry): Promise<void> {
    this.#entries.delete(entry.clientMessageId);
    return Promise.resolve();
  }
}

const STORE = "outbox";

/** Keeps the outbox in the browser, shared by all tabs of the site. */
export class IndexedDbOutboxStorage implements OutboxStorage {
  readonly #open: Promise<IDBDatabase>;

  constructor(factory: IDBFactory = indexedDB, name = "parley") {
    this.#open = openDatabase(factory, name);
  }

  async list(userId: string): Promise<OutboxEntry[]> {
    const range = IDBKeyRange.bound([userId], [userId, []]);
    const entries = await this.#run("readonly", (store) => store.getAll(range));
    return inOrder(entries as OutboxEntry[]);
  }

  async put(entry: OutboxEntry): Promise<void> {
    await this.#run("readwrite", (store) => store.put(entry));
  }

  async delete(entry: OutboxEntry): Promise<void> {
    await this.#run("readwrite", (store) => store.delete([entry.userId, entry.clientMessageId]));
  }

  async #run<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    const transaction = (await this.#open).transaction(STORE, mode);
    const request = work(transaction.objectStore(STORE));
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error ?? new Error("the transaction was aborted"));
    });
  }
}

function openDatabase(factory: IDBFactory, name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = factory.open(name, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(STORE, { keyPath: ["userId", "clientMessageId"] });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the database did not open"));
  });
}

/** IndexedDB where there is one, else memory: a private window sends messages too, but loses unsent ones when it closes. */
export function defaultOutboxStorage(): OutboxStorage {
  return typeof indexedDB === "undefined" ? new MemoryOutboxStorage() : new IndexedDbOutboxStorage();
}

function inOrder(entries: OutboxEntry[]): OutboxEntry[] {
  return entries.sort((a, b) => a.createdAt - b.createdAt || (a.clientMessageId < b.clientMessageId ? -1 : 1));
}

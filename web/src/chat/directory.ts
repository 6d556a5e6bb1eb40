import { type ChatClient, type Contact, type ReadableStore, Store } from "@parley/sdk";
import { demoUsers } from "./session.ts";

export interface Person {
  userId: string;
  displayName: string;
  avatarUrl: string | null;
}

export interface DirectorySnapshot {
  people: ReadonlyMap<string, Person>;
  /** Whom this user may start a conversation with; null while loading. */
  contacts: readonly Contact[] | null;
  failed: boolean;
}

/** Names and faces, as far as the website has told them. */
export class Directory {
  readonly #client: ChatClient;
  readonly #store = new Store<DirectorySnapshot>({ people: new Map(), contacts: null, failed: false });

  constructor(client: ChatClient) {
    this.#client = client;
  }

  get store(): ReadableStore<DirectorySnapshot> {
    return this.#store;
  }

  /** Load everybody again; what cannot be had is left as it was. */
  async load(): Promise<void> {
    const { api } = this.#client;
    const [contacts, me, demo] = await Promise.allSettled([api.contacts(), api.me(), demoUsers()]);
    const people = new Map(this.#store.get().people);
    if (demo.status === "fulfilled") for (const user of demo.value) people.set(user.userId, user);
    if (contacts.status === "fulfilled") for (const contact of contacts.value) people.set(contact.userId, contact);
    if (me.status === "fulfilled") people.set(me.value.userId, me.value);
    this.#store.set({
      people,
      contacts: contacts.status === "fulfilled" ? contacts.value : this.#store.get().contacts,
      failed: contacts.status === "rejected",
    });
  }
}

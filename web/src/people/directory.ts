import { type ChatClient, type Contact, type ReadableStore, Store } from "@parley/sdk";
import { demoUsers, namedUsers, searchUsers } from "../sign-in/session.ts";

export interface Person {
  userId: string;
  displayName: string;
  avatarUrl: string | null;
}

export interface DirectorySnapshot {
  people: ReadonlyMap<string, Person>;
  /** The people with whom this user may start a conversation; null while loading. */
  contacts: readonly Contact[] | null;
  /** The people whom the website suggests to a user without contacts. */
  suggested: readonly Person[];
  failed: boolean;
}

/** How many names are requested at a time. */
const MAX_NAMES = 200;

/** Names and pictures, as far as the website has told them. */
export class Directory {
  readonly #client: ChatClient;
  readonly #requested = new Set<string>();
  readonly #store = new Store<DirectorySnapshot>({ people: new Map(), contacts: null, suggested: [], failed: false });

  constructor(client: ChatClient) {
    this.#client = client;
  }

  get store(): ReadableStore<DirectorySnapshot> {
    return this.#store;
  }

  /** Load the names of these users, each once, where they are not known yet. */
  async loadNames(userIds: Iterable<string>): Promise<void> {
    const { people, contacts } = this.#store.get();
    const unknown = [...userIds].filter((userId) => !people.has(userId) && !this.#requested.has(userId)).slice(0, MAX_NAMES);
    if (contacts === null || unknown.length === 0) return;
    for (const userId of unknown) this.#requested.add(userId);
    this.#add(await namedUsers(unknown).catch(() => []));
  }

  /** The people whom the website finds, contacts or not. */
  async search(words: string): Promise<readonly Person[]> {
    const results = await searchUsers(words);
    this.#add(results);
    return results.filter((person) => person.userId !== this.#client.userId);
  }

  #add(persons: readonly Person[]): void {
    const people = new Map(this.#store.get().people);
    for (const { userId, displayName, avatarUrl } of persons) people.set(userId, { userId, displayName, avatarUrl });
    if (persons.length > 0) this.#store.set({ ...this.#store.get(), people });
  }

  /** Load contacts, suggestions and this user again; a part that fails to load stays as it was. */
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
      suggested: demo.status === "fulfilled" ? demo.value : this.#store.get().suggested,
      failed: contacts.status === "rejected",
    });
  }
}

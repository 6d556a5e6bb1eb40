import { type ChatClient, type Contact, type ReadableStore, Store } from "@parley/sdk";
import { demoUsers, namedUsers, searchUsers } from "../sign-in/session.ts";

export interface Person {
  userId: string;
  displayName: string;
  avatarUrl: string | null;
}

export interface DirectorySnapshot {
  people: ReadonlyMap<string, Person>;
  /** Whom this user may start a conversation with; null while loading. */
  contacts: readonly Contact[] | null;
  /** Whom the website suggests to somebody without contacts. */
  suggested: readonly Person[];
  failed: boolean;
}

/** How many names are asked for at a time. */
const MOST_ASKED = 200;

/** Names and faces, as far as the website has told them. */
export class Directory {
  readonly #client: ChatClient;
  readonly #asked = new Set<string>();
  readonly #store = new Store<DirectorySnapshot>({ people: new Map(), contacts: null, suggested: [], failed: false });

  constructor(client: ChatClient) {
    this.#client = client;
  }

  get store(): ReadableStore<DirectorySnapshot> {
    return this.#store;
  }

  /** Ask the website, once each, who these are, if they are not known yet. */
  async learn(userIds: Iterable<string>): Promise<void> {
    const { people, contacts } = this.#store.get();
    const unknown = [...userIds].filter((userId) => !people.has(userId) && !this.#asked.has(userId)).slice(0, MOST_ASKED);
    if (contacts === null || unknown.length === 0) return;
    for (const userId of unknown) this.#asked.add(userId);
    this.#add(await namedUsers(unknown).catch(() => []));
  }

  /** Whom the website finds, contacts or not. */
  async search(words: string): Promise<readonly Person[]> {
    const found = await searchUsers(words);
    this.#add(found);
    return found.filter((person) => person.userId !== this.#client.userId);
  }

  #add(found: readonly Person[]): void {
    const people = new Map(this.#store.get().people);
    for (const { userId, displayName, avatarUrl } of found) people.set(userId, { userId, displayName, avatarUrl });
    if (found.length > 0) this.#store.set({ ...this.#store.get(), people });
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
      suggested: demo.status === "fulfilled" ? demo.value : this.#store.get().suggested,
      failed: contacts.status === "rejected",
    });
  }
}

import type { ReactNode } from "react";
import { type ChatClient, type InboxEntry, type Message, type OutboxEntry, type Presence, Store, type TimelineItem } from "@parley/sdk";
import { ChatContext } from "../src/connection/context.ts";
import { Toasts } from "../src/controls/toasts.ts";
import { UploadQueues } from "../src/files/uploads.ts";
import { Blocks } from "../src/people/blocks.ts";
import type { Directory, DirectorySnapshot } from "../src/people/directory.ts";

export const ME = "amara";
const NOON = new Date(2026, 4, 5, 12, 0).getTime();

/** A client whose stores a test sets and whose actions it reads back. */
export function fakeChat() {
  const stores = {
    connection: new Store<{ phase: string; deviceOnline: boolean }>({ phase: "online", deviceOnline: true }),
    inbox: new Store({ entries: [] as InboxEntry[], loaded: true, hasMore: false, unreadCount: 0 }),
    outbox: new Store({ entries: [] as OutboxEntry[], waiting: null as { untilMs: number; code: string } | null }),
    presence: new Store<ReadonlyMap<string, Presence>>(new Map()),
    typing: new Store<readonly string[]>([]),
    directory: new Store<DirectorySnapshot>({
      people: new Map([
        [ME, { userId: ME, displayName: "Amara Okafor", avatarUrl: null }],
        ["ben", { userId: "ben", displayName: "Ben Lindqvist", avatarUrl: null }],
      ]),
      contacts: [],
      suggested: [],
      failed: false,
    }),
  };
  const calls: unknown[][] = [];
  const note = (name: string) => (...args: unknown[]) => {
    calls.push([name, ...args]);
    return Promise.resolve({ id: "c-new" });
  };
  const client = {
    userId: ME,
    ...stores,
    typing: () => stores.typing,
    ...Object.fromEntries(
      ["send", "retry", "discard", "keystroke", "startDirect", "startGroup"].map((name) => [name, note(name)]),
    ),
  } as unknown as ChatClient;
  const directory = { store: stores.directory, load: note("load") } as unknown as Directory;
  const toasts = new Toasts();
  const blocks = new Blocks(client);
  const uploads = new UploadQueues(client, toasts);
  const Wrapper = ({ children }: { children: ReactNode }) => (
    <ChatContext value={{ client, directory, toasts, blocks, uploads }}>{children}</ChatContext>
  );
  return { stores, calls, client, toasts, blocks, uploads, Wrapper };
}

export function message(over: Partial<Message> = {}): Message {
  return {
    conversationId: "c", sequence: 1, senderId: "ben", clientMessageId: "m-1", kind: "text", body: "hello",
    attachments: [], replyTo: null, sentAt: NOON, status: "sent", ...over,
  };
}

export function stored(over: Partial<Message> = {}, status = over.status ?? "sent"): TimelineItem {
  const made = message(over);
  return { kind: "stored", key: `${made.senderId}/${made.clientMessageId}`, message: made, status };
}

export function entry(over: Partial<InboxEntry> = {}): InboxEntry {
  const member = (userId: string) => ({ userId, role: "member" as const, joinedAt: 1, historyFrom: 1 });
  return {
    conversation: {
      id: "c", kind: "direct", title: "", members: [member(ME), member("ben")], createdAt: NOON, latestSequence: 3, version: 1,
    },
    lastMessage: message({ sequence: 3 }),
    latestSequence: 3, read: 3, delivered: 3, unreadCount: 0, muted: false, ...over,
  };
}

export function outboxEntry(over: Partial<OutboxEntry> = {}): OutboxEntry {
  return {
    clientMessageId: "p-1", userId: ME, conversationId: "c", body: "pending words", attachments: [], replyTo: null,
    createdAt: NOON, attempts: 0, failure: null, ...over,
  };
}

/** What jsdom lacks and the page uses. */
export function stubBrowser(): void {
  window.matchMedia = ((query: string) => ({ matches: false, media: query })) as unknown as typeof window.matchMedia;
  HTMLDialogElement.prototype.showModal = function showModal() {
    this.open = true;
  };
  HTMLDialogElement.prototype.close = function close() {
    this.open = false;
  };
}

import type { ChatClientOptions } from "./client-options.ts";
import type { ReadableStore } from "./common/store.ts";
import { ChatApi } from "./connection/api.ts";
import { Device } from "./connection/device.ts";
import { Heartbeat, type HeartbeatReply } from "./connection/heartbeat.ts";
import { Http } from "./connection/http.ts";
import { HubOrHttp } from "./connection/hub-or-http.ts";
import { Hub, type ConnectionState } from "./connection/hub.ts";
import { Conversations } from "./conversations/conversations.ts";
import { InboxLoader } from "./conversations/inbox-loader.ts";
import type { InboxSnapshot } from "./conversations/inbox.ts";
import { Synchronizer } from "./conversations/synchronizer.ts";
import { type UploadOptions, type Uploadable, upload } from "./files/upload.ts";
import { listen } from "./hub-events.ts";
import type { OpenConversation, TimelineSnapshot } from "./messages/open-conversation.ts";
import type { OutboxEntry } from "./messages/outbox-entry.ts";
import { defaultOutboxStorage } from "./messages/outbox-storage.ts";
import { Outbox, type OutboxSnapshot } from "./messages/outbox.ts";
import { defaultTabs } from "./messages/tabs.ts";
import { PushNotifications } from "./notifications/push.ts";
import { PresenceWatch } from "./presence/presence-watch.ts";
import { TypingSender, TypingWatch } from "./presence/typing.ts";
import { Acknowledger } from "./receipts/acknowledger.ts";
import type { AttachmentRef, Conversation, Draft, Presence } from "./types.ts";

/** How long `stop` and `flush` wait for unsent messages by default. */
const FLUSH_MS = 10_000;

/** How often a client without a connection to the hub syncs over HTTP. */
const FALLBACK_SYNC_MS = 15_000;

/**
 * One user's chat: stores to show, and the user's actions. Call `start` once, and `stop` at the end.
 *
 * Every store holds immutable snapshots and fits React's `useSyncExternalStore`.
 */
export class ChatClient {
  readonly userId: string;
  readonly api: ChatApi;
  readonly push: PushNotifications;
  readonly #hub: Hub;
  readonly #outbox: Outbox;
  readonly #acknowledger: Acknowledger;
  readonly #conversations: Conversations;
  readonly #inboxLoader: InboxLoader;
  readonly #synchronizer: Synchronizer;
  readonly #heartbeat: Heartbeat;
  readonly #presence: PresenceWatch;
  readonly #typing = new TypingWatch();
  readonly #typingSender: TypingSender;
  readonly #device: Device;
  #shown: OpenConversation | null = null;
  #fallback: ReturnType<typeof setInterval> | undefined;

  constructor(options: ChatClientOptions) {
    const { baseUrl, userId, tokenProvider } = options;
    this.userId = userId;
    this.api = new ChatApi(new Http({ baseUrl, tokenProvider }));
    this.push = new PushNotifications(this.api);
    this.#hub = new Hub({
      baseUrl,
      userId,
      token: () => tokenProvider({ refresh: false }),
      ...(options.transport === undefined ? {} : { transport: options.transport }),
      ...(options.protocol ? { protocol: options.protocol } : {}),
    });
    const calls = new HubOrHttp(this.#hub, this.api);
    this.#presence = new PresenceWatch(calls.watchPresence);
    this.#typingSender = new TypingSender(this.#hub.setTyping);
    this.#acknowledger = new Acknowledger(calls.acknowledge);
    this.#outbox = new Outbox({
      userId,
      storage: options.storage ?? defaultOutboxStorage(),
      tabs: options.tabs ?? defaultTabs(userId),
      deliver: calls.send,
      canDeliver: () => this.#hub.isOnline || this.connection.get().deviceOnline,
    });
    const [outbox, acknowledger] = [this.#outbox, this.#acknowledger];
    this.#conversations = new Conversations({ userId, api: this.api, acknowledger, outbox });
    this.#inboxLoader = new InboxLoader(this.api, this.#conversations);
    this.#synchronizer = new Synchronizer(this.api, this.#conversations, this.#inboxLoader);
    this.#heartbeat = new Heartbeat({
      send: () => this.#sendHeartbeat(),
      receivedCount: () => this.#conversations.receivedCount,
      onMissed: () => this.#synchronizer.request(),
    });
    this.#device = new Device({
      onNetwork: (online) => (online ? this.#retryNow() : void this.#hub.reconnect()),
      onReturn: () => this.#retryNow(),
    });
    this.#subscribe();
  }

  /** Lead what arrives, from the hub and from the outbox of any tab, to the parts that show it. */
  #subscribe(): void {
    const [conversations, typing, presence] = [this.#conversations, this.#typing, this.#presence];
    const onStaleList = () => void this.#inboxLoader.refresh();
    listen(this.#hub, { userId: this.userId, conversations, typing, presence, onStaleList });
    this.#outbox.onStored((message) => {
      if (!conversations.mergeMessages([message])) onStaleList();
    });
    this.#outbox.store.subscribe(() => conversations.refreshOpened());
    this.connection.subscribe(() => this.#connectionChanged());
  }

  get connection(): ReadableStore<ConnectionState> {
    return this.#hub.store;
  }

  get inbox(): ReadableStore<InboxSnapshot> {
    return this.#conversations.inbox.store;
  }

  get outbox(): ReadableStore<OutboxSnapshot> {
    return this.#outbox.store;
  }

  get presence(): ReadableStore<ReadonlyMap<string, Presence>> {
    return this.#presence.store;
  }

  timeline(conversationId: string): ReadableStore<TimelineSnapshot> {
    return this.#conversations.open(conversationId).store;
  }

  typing(conversationId: string): ReadableStore<readonly string[]> {
    return this.#typing.store(conversationId);
  }

  /** Connect, and keep connected. Resolves once the outbox is loaded; the rest shows in the stores. */
  async start(): Promise<void> {
    this.#device.start();
    this.#hub.start();
    void this.#inboxLoader.refresh();
    this.#fallback = setInterval(() => this.#syncWithoutHub(), FALLBACK_SYNC_MS);
    await this.#outbox.start();
  }

  /**
   * Wait until every message is stored or refused, for `timeoutMs` at most.
   *
   * Returns the messages that are not known to be stored: unsent ones, and refused ones with their `failure`.
   */
  flush(timeoutMs = FLUSH_MS): Promise<readonly OutboxEntry[]> {
    return this.#outbox.flush(timeoutMs);
  }

  /**
   * Disconnect. Returns the messages that are not known to be stored.
   *
   * An outbox in memory (Node without a `storage`) ends with the process, so `stop` flushes it first, for
   * `flushMs` at most. From a durable outbox the next client of this user sends the rest.
   */
  async stop(options: { flushMs?: number } = {}): Promise<readonly OutboxEntry[]> {
    const flushMs = options.flushMs ?? (this.#outbox.isDurable ? 0 : FLUSH_MS);
    if (flushMs > 0) await this.#outbox.flush(flushMs);
    clearInterval(this.#fallback);
    this.#device.stop();
    this.#typingSender.stop();
    for (const part of [this.#typing, this.#presence, this.#heartbeat, this.#acknowledger]) part.stop();
    this.#inboxLoader.stop();
    this.#synchronizer.stop();
    this.#outbox.stop();
    await this.#hub.stop();
    return this.outbox.get().entries;
  }

  /** Send a message: it shows at once as pending and is sent as soon as possible, also after a reload. */
  send(conversationId: string, draft: Draft): Promise<OutboxEntry> {
    this.#typingSender.stop();
    return this.#outbox.add(conversationId, draft, this.#conversations.latest(conversationId));
  }

  retry(clientMessageId: string): Promise<void> {
    return this.#outbox.retry(clientMessageId);
  }

  discard(clientMessageId: string): Promise<void> {
    return this.#outbox.discard(clientMessageId);
  }

  /** Load a conversation's newest messages; where they are loaded, fetch those that are missing. */
  open(conversationId: string): Promise<void> {
    this.#shown = this.#conversations.open(conversationId);
    return this.#shown.load();
  }

  loadOlder(conversationId: string): Promise<void> {
    return this.#conversations.open(conversationId).loadOlder();
  }

  loadMoreConversations(): Promise<void> {
    return this.#inboxLoader.loadMore();
  }

  /** The user has seen everything up to `sequence`. */
  markRead(conversationId: string, sequence: number): void {
    this.#conversations.markRead(conversationId, sequence);
  }

  /** Call on each keystroke; the calls to the service are throttled. */
  keystroke(conversationId: string): void {
    if (this.#hub.isOnline) this.#typingSender.keystroke(conversationId);
  }

  /** Replace the set of users whose presence is shown. */
  watchPresence(userIds: readonly string[]): void {
    this.#presence.set(userIds.filter((userId) => userId !== this.userId));
  }

  async startDirect(userId: string): Promise<Conversation> {
    return this.#merged(await this.api.createConversation("direct", [userId]));
  }

  async startGroup(title: string, memberIds: readonly string[]): Promise<Conversation> {
    return this.#merged(await this.api.createConversation("group", memberIds, title));
  }

  async rename(conversationId: string, title: string): Promise<Conversation> {
    return this.#merged(await this.api.rename(conversationId, title));
  }

  async addMembers(conversationId: string, userIds: readonly string[]): Promise<Conversation> {
    return this.#merged(await this.api.addMembers(conversationId, userIds));
  }

  /** Remove a member; remove this user to leave. */
  async removeMember(conversationId: string, userId: string): Promise<void> {
    await this.api.removeMember(conversationId, userId);
    if (userId === this.userId) this.#conversations.remove(conversationId);
    else await this.#conversations.open(conversationId).reloadReceipts();
  }

  async mute(conversationId: string, untilMs: number | null): Promise<void> {
    await this.api.mute(conversationId, untilMs);
    this.#conversations.inbox.setMuted(conversationId, untilMs !== null && untilMs > Date.now());
  }

  /** Upload a file; send the returned reference with a message. */
  upload(conversationId: string, file: Uploadable, options?: UploadOptions): Promise<AttachmentRef> {
    return upload(this.api, conversationId, file, options);
  }

  async #sendHeartbeat(): Promise<HeartbeatReply> {
    const reply = await this.#hub.invoke("heartbeat", {});
    this.#hub.spreadReconnecting(reply.reconnectWithinMs);
    if (this.#shown?.awaitsReceipts) this.#shown.reloadReceipts().catch(() => undefined);
    return reply;
  }

  #merged(conversation: Conversation): Conversation {
    this.#conversations.mergeConversation(conversation);
    return conversation;
  }

  #connectionChanged(): void {
    if (this.connection.get().phase === "online") void this.#connected();
    else this.#heartbeat.stop();
  }

  /**
   * Catch up after a connect, in an order that leaves no message out. From the connect on, pushes arrive. The first
   * heartbeat reads the service's count of messages; the sync begins after it. A message counted before that is
   * brought by the sync; a later one must arrive by a push, or the next heartbeat's count differs and syncs again.
   */
  async #connected(): Promise<void> {
    this.#outbox.retryNow();
    this.#acknowledger.retryNow();
    void this.#presence.resend();
    await this.#inboxLoader.ready();
    await this.#heartbeat.start();
    await this.#synchronizer.request();
  }

  #retryNow(): void {
    this.#hub.retryNow();
    this.#outbox.retryNow();
    this.#acknowledger.retryNow();
    this.#conversations.retryNow();
    if (this.#hub.isOnline) void this.#heartbeat.start().then(() => this.#synchronizer.request());
  }

  #syncWithoutHub(): void {
    const { phase, deviceOnline } = this.connection.get();
    if (phase === "online" || !deviceOnline) return;
    this.#outbox.retryNow();
    void this.#synchronizer.request();
  }
}

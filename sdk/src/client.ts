import { Acknowledger } from "./acknowledger.ts";
import { ChatApi } from "./api.ts";
import type { ChatClientOptions } from "./client-options.ts";
import { Conversations } from "./conversations.ts";
import { Device } from "./device.ts";
import { EitherWay } from "./either-way.ts";
import { type Beat, Heartbeat } from "./heartbeat.ts";
import { Http } from "./http.ts";
import { Hub, type ConnectionState } from "./hub.ts";
import { listen } from "./hub-events.ts";
import type { InboxSnapshot } from "./inbox.ts";
import { InboxLoader } from "./inbox-loader.ts";
import type { OpenConversation, TimelineSnapshot } from "./open-conversation.ts";
import type { OutboxEntry } from "./outbox-entry.ts";
import { defaultOutboxStorage } from "./outbox-storage.ts";
import { Outbox, type OutboxSnapshot } from "./outbox.ts";
import { PresenceWatch } from "./presence-watch.ts";
import { PushNotifications } from "./push.ts";
import type { ReadableStore } from "./store.ts";
import { Synchronizer } from "./synchronizer.ts";
import { defaultTabs } from "./tabs.ts";
import { TypingSender, TypingWatch } from "./typing.ts";
import type { AttachmentRef, Conversation, Draft, Presence } from "./types.ts";
import { type UploadOptions, type Uploadable, upload } from "./upload.ts";

/** How long `stop` and `flush` wait for what is unsent, unless told otherwise. */
const FLUSH_MS = 10_000;

/** Every so often without a hub, ask over HTTP what is new. */
const FALLBACK_SYNC_MS = 15_000;

/**
 * One user's chat: stores to show, and what the user can do. `start` it once, `stop` it when done.
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
    const calls = new EitherWay(this.#hub, this.api);
    this.#outbox = new Outbox({
      userId,
      storage: options.storage ?? defaultOutboxStorage(),
      tabs: options.tabs ?? defaultTabs(userId),
      deliver: (entry, retry) => calls.send(entry, retry),
      canDeliver: () => this.#hub.isOnline || this.connection.get().deviceOnline,
      latest: (conversationId) => this.#conversations.latest(conversationId),
      onStored: (message) => this.#conversations.takeMessages([message]),
    });
    this.#acknowledger = new Acknowledger((id, marks) => calls.acknowledge(id, marks));
    this.#conversations = new Conversations({
      userId,
      api: this.api,
      acknowledger: this.#acknowledger,
      pending: (id) => this.#outbox.pending(id),
      onLearnt: (count) => this.#heartbeat.learn(count),
      onUnknown: () => void this.#inboxLoader.refresh(),
    });
    this.#inboxLoader = new InboxLoader(this.api, this.#conversations);
    this.#synchronizer = new Synchronizer(this.api, {
      positions: () => this.#conversations.positions(),
      take: (item) => this.#conversations.takeSyncItem(item),
      remove: (id) => this.#conversations.remove(id),
      reload: () => this.#inboxLoader.reload(),
      done: (changed) => this.#afterSync(changed),
    });
    this.#heartbeat = new Heartbeat({
      beat: () => this.#beat(),
      onMissed: () => this.#synchronizer.request(),
    });
    this.#presence = new PresenceWatch((userIds) => calls.watchPresence(userIds));
    this.#typingSender = new TypingSender((conversationId, typing) => {
      this.#hub.invoke("setTyping", { conversationId, typing }).catch(() => undefined);
    });
    this.#device = new Device({
      onNetwork: (online) => {
        if (online) this.#wake();
        else void this.#hub.renew();
      },
      onReturn: () => this.#wake(),
    });
    listen(this.#hub, {
      userId,
      conversations: this.#conversations,
      typing: this.#typing,
      presence: this.#presence,
      onStale: () => void this.#inboxLoader.refresh(),
    });
    this.#outbox.store.subscribe(() => this.#refreshOpened());
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
   * Wait until everything that was said is stored or refused, for `timeoutMs` at most.
   *
   * Returns the messages that are not known to be stored: unsent ones, and refused ones with their `failure`.
   */
  flush(timeoutMs = FLUSH_MS): Promise<readonly OutboxEntry[]> {
    return this.#outbox.flush(timeoutMs);
  }

  /**
   * Disconnect. Returns the messages that are not known to be stored.
   *
   * Where the outbox ends with the process (memory: Node without a `storage`), `stop` flushes first, for
   * `flushMs` at most. Where it is durable, the next client of this user sends what is left.
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

  /** Say something; it shows at once as pending and is sent as soon as it can be, across reloads. */
  send(conversationId: string, draft: Draft): Promise<OutboxEntry> {
    this.#typingSender.stop();
    return this.#outbox.add(conversationId, draft);
  }

  retry(clientMessageId: string): Promise<void> {
    return this.#outbox.retry(clientMessageId);
  }

  discard(clientMessageId: string): Promise<void> {
    return this.#outbox.discard(clientMessageId);
  }

  /** Load a conversation's newest messages, or repair what is loaded. */
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

  /** Call on each keystroke; what goes out is throttled. */
  keystroke(conversationId: string): void {
    if (this.#hub.isOnline) this.#typingSender.keystroke(conversationId);
  }

  /** Replace the set of users whose presence is on screen. */
  watchPresence(userIds: readonly string[]): void {
    this.#presence.set(userIds.filter((userId) => userId !== this.userId));
  }

  async startDirect(userId: string): Promise<Conversation> {
    return this.#adopt(await this.api.createConversation("direct", [userId]));
  }

  async startGroup(title: string, memberIds: readonly string[]): Promise<Conversation> {
    return this.#adopt(await this.api.createConversation("group", memberIds, title));
  }

  async rename(conversationId: string, title: string): Promise<Conversation> {
    return this.#adopt(await this.api.rename(conversationId, title));
  }

  async addMembers(conversationId: string, userIds: readonly string[]): Promise<Conversation> {
    return this.#adopt(await this.api.addMembers(conversationId, userIds));
  }

  /** Remove a member; removing oneself is leaving. */
  async removeMember(conversationId: string, userId: string): Promise<void> {
    await this.api.removeMember(conversationId, userId);
    if (userId === this.userId) this.#conversations.remove(conversationId);
    else await this.#conversations.open(conversationId).reloadReceipts();
  }

  async mute(conversationId: string, untilMs: number | null): Promise<void> {
    await this.api.mute(conversationId, untilMs);
    this.#conversations.inbox.setMuted(conversationId, untilMs !== null && untilMs > Date.now());
  }

  /** Put a file into storage; send the result with a message. */
  upload(conversationId: string, file: Uploadable, options?: UploadOptions): Promise<AttachmentRef> {
    return upload(this.api, conversationId, file, options);
  }

  async #beat(): Promise<Beat> {
    const beat = await this.#hub.invoke("heartbeat", {});
    this.#hub.spreadReconnecting(beat.reconnectWithinMs);
    if (this.#shown?.awaitsReceipts) this.#shown.reloadReceipts().catch(() => undefined);
    return beat;
  }

  #adopt(conversation: Conversation): Conversation {
    this.#conversations.takeConversation(conversation);
    return conversation;
  }

  #connectionChanged(): void {
    if (this.connection.get().phase === "online") void this.#connected();
    else this.#heartbeat.stop();
  }

  /** Connected first, so that from here on pushes arrive; what came before is asked for now. */
  async #connected(): Promise<void> {
    this.#outbox.kick();
    this.#acknowledger.kick();
    void this.#presence.renew();
    await this.#inboxLoader.ready();
    await this.#heartbeat.start();
    await this.#synchronizer.request();
  }

  async #afterSync(changed: ReadonlySet<string> | "everything"): Promise<void> {
    for (const opened of this.#conversations.opened()) {
      opened.wake();
      if (changed === "everything" || changed.has(opened.id)) await opened.reloadReceipts().catch(() => undefined);
    }
  }

  #wake(): void {
    this.#hub.wake();
    this.#outbox.kick();
    this.#acknowledger.kick();
    for (const opened of this.#conversations.opened()) opened.wake();
    if (this.#hub.isOnline) void this.#heartbeat.start().then(() => this.#synchronizer.request());
  }

  #syncWithoutHub(): void {
    const { phase, deviceOnline } = this.connection.get();
    if (phase === "online" || !deviceOnline) return;
    this.#outbox.kick();
    void this.#synchronizer.request();
  }

  #refreshOpened(): void {
    for (const opened of this.#conversations.opened()) opened.refresh();
  }
}

import type { ChatApi } from "./api.ts";
import { Pause, backoffMs } from "./backoff.ts";
import type { Conversations } from "./conversations.ts";
import { asChatError } from "./errors.ts";
import type { InboxItem, InboxPage } from "./types.ts";

const PAGE = 30;

/** Pages through the list of conversations; its first page is read again whenever it may be stale. */
export class InboxLoader {
  readonly #api: Pick<ChatApi, "listConversations">;
  readonly #conversations: Pick<Conversations, "inbox" | "takeInboxPage">;
  readonly #pause = new Pause();
  #continuation: string | null = null;
  #pagedOn = false;
  #refreshing: Promise<void> | null = null;
  #again = false;
  #loadingMore: Promise<void> | null = null;
  #stopped = false;
  #firstDone: () => void = () => undefined;
  readonly #first = new Promise<void>((resolve) => {
    this.#firstDone = resolve;
  });

  constructor(
    api: Pick<ChatApi, "listConversations">,
    conversations: Pick<Conversations, "inbox" | "takeInboxPage">,
  ) {
    this.#api = api;
    this.#conversations = conversations;
  }

  /** Resolves once the first page has been loaded. */
  ready(): Promise<void> {
    return this.#first;
  }

  /** Read the first page; requests made meanwhile are served together by one more read. */
  refresh(): Promise<void> {
    if (this.#refreshing) {
      this.#again = true;
      this.#pause.cut();
      return this.#refreshing;
    }
    this.#refreshing = this.#refresh().finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  /** Read the list anew as far as it is shown: all of it may be old. */
  async reload(): Promise<void> {
    const { inbox } = this.#conversations;
    const before = inbox.ids();
    await this.refresh();
    if (!this.#pagedOn) return;
    const items: InboxItem[] = [];
    let continuation: string | null = null;
    do {
      const page: InboxPage = await this.#api.listConversations(PAGE, continuation);
      items.push(...page.items);
      ({ continuation } = page);
    } while (continuation !== null && items.length < before.length && !this.#stopped);
    this.#continuation = continuation;
    inbox.dropMissing(before, items, continuation !== null);
    this.#conversations.takeInboxPage(items, continuation !== null);
  }

  loadMore(): Promise<void> {
    if (this.#continuation === null) return Promise.resolve();
    this.#loadingMore ??= this.#next(this.#continuation).finally(() => {
      this.#loadingMore = null;
    });
    return this.#loadingMore;
  }

  stop(): void {
    this.#stopped = true;
    this.#pause.cut();
  }

  async #refresh(): Promise<void> {
    let attempt = 0;
    do {
      this.#again = false;
      try {
        await this.#firstPage();
        attempt = 0;
      } catch (thrown) {
        const error = asChatError(thrown);
        if (!error.isTransient) return;
        this.#again = true;
        await this.#pause.wait(error.retryAfterMs ?? backoffMs(attempt++));
      }
    } while (this.#again && !this.#stopped);
  }

  async #firstPage(): Promise<void> {
    const { inbox } = this.#conversations;
    const before = inbox.ids();
    const page = await this.#api.listConversations(PAGE, null);
    inbox.dropMissing(before, page.items, page.continuation !== null);
    if (!this.#pagedOn) this.#continuation = page.continuation;
    this.#conversations.takeInboxPage(page.items, this.#continuation !== null);
    this.#firstDone();
  }

  async #next(continuation: string): Promise<void> {
    const page = await this.#api.listConversations(PAGE, continuation);
    this.#pagedOn = true;
    this.#continuation = page.continuation;
    this.#conversations.takeInboxPage(page.items, page.continuation !== null);
  }
}

import { CoalescedTask } from "../common/coalesced-task.ts";
import type { ChatApi } from "../connection/api.ts";
import type { InboxItem, InboxPage } from "../types.ts";
import type { Conversations } from "./conversations.ts";

const PAGE = 30;

/** Pages through the list of conversations, and reads its first page again whenever that may be out of date. */
export class InboxLoader {
  readonly #api: Pick<ChatApi, "listConversations">;
  readonly #conversations: Pick<Conversations, "inbox" | "mergeInboxPage">;
  readonly #firstPage = new CoalescedTask(() => this.#loadFirstPage());
  #continuation: string | null = null;
  #hasPagedOn = false;
  #loadingMore: Promise<void> | null = null;
  #resolveReady: () => void = () => undefined;
  readonly #ready = new Promise<void>((resolve) => {
    this.#resolveReady = resolve;
  });

  constructor(
    api: Pick<ChatApi, "listConversations">,
    conversations: Pick<Conversations, "inbox" | "mergeInboxPage">,
  ) {
    this.#api = api;
    this.#conversations = conversations;
  }

  /** Resolves once the first page has been loaded. */
  ready(): Promise<void> {
    return this.#ready;
  }

  /** Read the first page. */
  refresh(): Promise<void> {
    return this.#firstPage.request();
  }

  /** Read the list again as far as it was paged to, since all of it may be out of date. */
  async reload(): Promise<void> {
    const { inbox } = this.#conversations;
    const before = inbox.ids();
    await this.refresh();
    if (!this.#hasPagedOn) return;
    const items: InboxItem[] = [];
    let continuation: string | null = null;
    do {
      const page: InboxPage = await this.#api.listConversations(PAGE, continuation);
      items.push(...page.items);
      ({ continuation } = page);
    } while (continuation !== null && items.length < before.length && !this.#firstPage.isStopped);
    this.#continuation = continuation;
    inbox.dropMissing(before, items, continuation !== null);
    this.#conversations.mergeInboxPage(items, continuation !== null);
  }

  loadMore(): Promise<void> {
    if (this.#continuation === null) return Promise.resolve();
    this.#loadingMore ??= this.#loadPageAfter(this.#continuation).finally(() => {
      this.#loadingMore = null;
    });
    return this.#loadingMore;
  }

  stop(): void {
    this.#firstPage.stop();
  }

  async #loadFirstPage(): Promise<void> {
    const { inbox } = this.#conversations;
    const before = inbox.ids();
    const page = await this.#api.listConversations(PAGE, null);
    inbox.dropMissing(before, page.items, page.continuation !== null);
    if (!this.#hasPagedOn) this.#continuation = page.continuation;
    this.#conversations.mergeInboxPage(page.items, this.#continuation !== null);
    this.#resolveReady();
  }

  async #loadPageAfter(continuation: string): Promise<void> {
    const page = await this.#api.listConversations(PAGE, continuation);
    this.#hasPagedOn = true;
    this.#continuation = page.continuation;
    this.#conversations.mergeInboxPage(page.items, page.continuation !== null);
  }
}

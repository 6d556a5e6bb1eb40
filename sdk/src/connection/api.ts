import type {
  Contact,
  Conversation,
  ConversationDetails,
  ConversationKind,
  HistoryPage,
  InboxPage,
  Me,
  Message,
  Presence,
  PreviewLevel,
  Receipt,
  SendRequest,
  SyncPage,
  UploadGrant,
} from "../types.ts";
import type { Http } from "./http.ts";

export interface HistoryRange {
  before?: number;
  after?: number;
  limit?: number;
}

/** The HTTP calls of docs/openapi.yaml, one method each. */
export class ChatApi {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  me = (): Promise<Me> => this.#http.request("GET", "/me");

  setPreview = (preview: PreviewLevel): Promise<Me> => this.#http.request("PATCH", "/me/settings", { preview });

  contacts = async (): Promise<Contact[]> =>
    (await this.#http.request<{ items: Contact[] }>("GET", "/contacts")).items;

  presence = async (userIds: readonly string[]): Promise<Presence[]> =>
    (await this.#http.request<{ items: Presence[] }>("GET", `/presence${query({ userIds: userIds.join(",") })}`))
      .items;

  createConversation = (
    kind: ConversationKind,
    memberIds: readonly string[],
    title?: string,
  ): Promise<Conversation> =>
    this.#http.request("POST", "/conversations", { kind, memberIds, ...(title === undefined ? {} : { title }) });

  listConversations = (
    limit: number,
    continuation: string | null,
  ): Promise<InboxPage> =>
    this.#http.request("GET", `/conversations${query({ limit, continuation })}`);

  conversation = (id: string): Promise<ConversationDetails> => this.#http.request("GET", path(id));

  rename = (id: string, title: string): Promise<Conversation> =>
    this.#http.request("PATCH", path(id), { title });

  addMembers = (id: string, userIds: readonly string[]): Promise<Conversation> =>
    this.#http.request("POST", `${path(id)}/members`, { userIds });

  removeMember = (id: string, userId: string): Promise<void> =>
    this.#http.request("DELETE", `${path(id)}/members/${encodeURIComponent(userId)}`);

  history = (id: string, range: HistoryRange): Promise<HistoryPage> =>
    this.#http.request("GET", `${path(id)}/messages${query({ ...range })}`);

  postMessage = async ({ conversationId, ...body }: SendRequest): Promise<Message> =>
    (await this.#http.request<{ message: Message }>("POST", `${path(conversationId)}/messages`, body)).message;

  acknowledge = (id: string, marks: { delivered?: number; read?: number }): Promise<Receipt> =>
    this.#http.request("PUT", `${path(id)}/receipt`, marks);

  mute = (id: string, until: number | null): Promise<void> =>
    this.#http.request("PUT", `${path(id)}/mute`, { until });

  /** `since` is the cursor of an earlier answer, or `now` to get a cursor without items. */
  sync = (positions: Record<string, number>, limit?: number, since?: string): Promise<SyncPage> =>
    this.#http.request("POST", "/sync", { positions, limit, since });

  grantUpload = (
    id: string,
    file: { fileName: string; contentType: string; sizeBytes: number },
  ): Promise<UploadGrant> => this.#http.request("POST", `${path(id)}/attachments`, file);

  /** The bytes of an attachment or of its thumbnail; the service redirects to a short-lived address. */
  download = async (id: string, attachmentId: string, size?: "thumbnail"): Promise<Blob> => {
    const address = `${path(id)}/attachments/${encodeURIComponent(attachmentId)}`;
    return (await this.#http.fetch("GET", address + query({ size }))).blob();
  };

  putPushSubscription = (id: string, subscription: unknown): Promise<void> =>
    this.#http.request("PUT", `/push-subscriptions/${encodeURIComponent(id)}`, subscription);

  deletePushSubscription = (id: string): Promise<void> =>
    this.#http.request("DELETE", `/push-subscriptions/${encodeURIComponent(id)}`);

  block = (userId: string): Promise<void> => this.#http.request("PUT", `/blocks/${encodeURIComponent(userId)}`);

  unblock = (userId: string): Promise<void> =>
    this.#http.request("DELETE", `/blocks/${encodeURIComponent(userId)}`);
}

function path(conversationId: string): string {
  return `/conversations/${encodeURIComponent(conversationId)}`;
}

function query(values: Record<string, string | number | null | undefined>): string {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== null) parts.set(name, String(value));
  }
  const text = parts.toString();
  return text === "" ? "" : `?${text}`;
}

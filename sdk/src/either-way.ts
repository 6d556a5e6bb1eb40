import type { ChatApi } from "./api.ts";
import type { Hub } from "./hub.ts";
import type { OutboxEntry } from "./outbox-entry.ts";
import type { Message, Presence, Receipt, SendRequest } from "./types.ts";

/** Every third attempt goes over HTTP even when the hub looks well: its way to the app may not be. */
const HTTP_EVERY = 3;

/** Calls that the service takes by hub and by HTTP: the hub's is one message, HTTP's works without it. */
export class EitherWay {
  readonly #hub: Hub;
  readonly #api: ChatApi;

  constructor(hub: Hub, api: ChatApi) {
    this.#hub = hub;
    this.#api = api;
  }

  async send(entry: OutboxEntry, retry: boolean): Promise<Message> {
    const request: SendRequest = {
      conversationId: entry.conversationId,
      clientMessageId: entry.clientMessageId,
      body: entry.body,
      ...(entry.attachments.length > 0 ? { attachments: entry.attachments.map((file) => file.attachmentId) } : {}),
      ...(entry.replyTo === null ? {} : { replyTo: entry.replyTo }),
      ...(retry ? { retry: true } : {}),
    };
    if (!this.#hub.isOnline || entry.attempts % HTTP_EVERY === 0) return this.#api.postMessage(request);
    return (await this.#hub.invoke("sendMessage", request)).message;
  }

  async acknowledge(conversationId: string, marks: { delivered?: number; read?: number }): Promise<Receipt> {
    if (!this.#hub.isOnline) return this.#api.acknowledge(conversationId, marks);
    return (await this.#hub.invoke("acknowledge", { conversationId, ...marks })).receipt;
  }

  /** Over HTTP this tells who is online now; only the hub tells of changes. */
  async watchPresence(userIds: string[]): Promise<Presence[]> {
    if (!this.#hub.isOnline) return this.#api.presence(userIds);
    return (await this.#hub.invoke("watchPresence", { userIds })).items;
  }
}

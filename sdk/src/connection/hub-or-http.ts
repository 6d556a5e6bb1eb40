import type { OutboxEntry } from "../messages/outbox-entry.ts";
import type { Message, Presence, Receipt, SendRequest } from "../types.ts";
import type { ChatApi } from "./api.ts";
import type { Hub } from "./hub.ts";

/** Every third attempt goes over HTTP even while the hub is connected, since the hub's route to the app may be broken. */
const HTTP_EVERY = 3;

/** Calls that the service takes by hub and by HTTP: by hub while it is connected, since that costs one message, else by HTTP. */
export class HubOrHttp {
  readonly #hub: Hub;
  readonly #api: ChatApi;

  constructor(hub: Hub, api: ChatApi) {
    this.#hub = hub;
    this.#api = api;
  }

  readonly send = async (entry: OutboxEntry, retry: boolean): Promise<Message> => {
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
  };

  readonly acknowledge = async (conversationId: string, marks: { delivered?: number; read?: number }): Promise<Receipt> => {
    if (!this.#hub.isOnline) return this.#api.acknowledge(conversationId, marks);
    return (await this.#hub.invoke("acknowledge", { conversationId, ...marks })).receipt;
  };

  /** Returns who is online now. Only a call by hub is followed by pushes of changes. */
  readonly watchPresence = async (userIds: string[]): Promise<Presence[]> => {
    if (!this.#hub.isOnline) return this.#api.presence(userIds);
    return (await this.#hub.invoke("watchPresence", { userIds })).items;
  };
}

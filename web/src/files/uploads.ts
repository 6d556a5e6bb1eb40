import { type AttachmentRef, type ChatClient, ChatError, type ReadableStore, Store } from "@parley/sdk";
import { explain } from "../common/explain.ts";
import type { Toasts } from "../controls/toasts.ts";
import { measure, rememberLocal } from "./images.ts";

const MAX_FILES = 10;
/** Refusals of the file itself: the same file is refused each time. */
const REFUSED_FILE = new Set(["unsupported_type", "too_large", "invalid"]);

export interface Upload {
  id: number;
  file: File;
  /** The share that was sent, from 0 to 1. */
  share: number;
  error: string | null;
  /** Whether the failed upload may succeed when it is tried again. */
  canRetry: boolean;
  result: AttachmentRef | null;
}

/** The files chosen for the next message of one conversation; each is uploaded at once. */
export class UploadQueue {
  readonly #client: ChatClient;
  readonly #toasts: Toasts;
  readonly #conversationId: string;
  readonly #store = new Store<readonly Upload[]>([]);
  readonly #running = new Map<number, AbortController>();
  #nextId = 1;

  constructor(client: ChatClient, toasts: Toasts, conversationId: string) {
    this.#client = client;
    this.#toasts = toasts;
    this.#conversationId = conversationId;
  }

  get store(): ReadableStore<readonly Upload[]> {
    return this.#store;
  }

  add(files: readonly File[]): void {
    const room = MAX_FILES - this.#store.get().length;
    if (files.length > room) this.#toasts.show(`A message takes up to ${MAX_FILES} files.`);
    for (const file of files.slice(0, room)) {
      const id = this.#nextId++;
      this.#store.set([...this.#store.get(), { id, file, share: 0, error: null, canRetry: false, result: null }]);
      void this.#run(id, file);
    }
  }

  retry(id: number): void {
    const failed = this.#store.get().find((upload) => upload.id === id && upload.canRetry);
    if (!failed) return;
    this.#change(id, { share: 0, error: null, canRetry: false });
    void this.#run(id, failed.file);
  }

  remove(id: number): void {
    this.#running.get(id)?.abort();
    this.#store.set(this.#store.get().filter((upload) => upload.id !== id));
  }

  /** Remove and return the uploaded files. A failed one stays, with its error, until it is tried again or removed. */
  take(): AttachmentRef[] {
    const all = this.#store.get();
    this.#store.set(all.filter((upload) => !upload.result));
    return all.flatMap((upload) => (upload.result ? [upload.result] : []));
  }

  stop(): void {
    for (const abort of this.#running.values()) abort.abort();
  }

  async #run(id: number, file: File): Promise<void> {
    const abort = new AbortController();
    this.#running.set(id, abort);
    try {
      const onProgress = (share: number) => this.#change(id, { share });
      const result = await this.#client.upload(this.#conversationId, file, { onProgress, signal: abort.signal });
      rememberLocal(result.attachmentId, file);
      this.#change(id, { share: 1, result: { ...result, ...(await measure(file)) } });
    } catch (error) {
      const code = error instanceof ChatError ? error.code : "unknown";
      if (code !== "cancelled") this.#change(id, { error: explain(error), canRetry: !REFUSED_FILE.has(code) });
    } finally {
      this.#running.delete(id);
    }
  }

  #change(id: number, part: Partial<Upload>): void {
    this.#store.set(this.#store.get().map((upload) => (upload.id === id ? { ...upload, ...part } : upload)));
  }
}

/** The queues of all conversations: files wait for their message, as drafts do, while another conversation is open. */
export class UploadQueues {
  readonly #make: (conversationId: string) => UploadQueue;
  readonly #queues = new Map<string, UploadQueue>();

  constructor(client: ChatClient, toasts: Toasts) {
    this.#make = (conversationId) => new UploadQueue(client, toasts, conversationId);
  }

  of(conversationId: string): UploadQueue {
    const queue = this.#queues.get(conversationId) ?? this.#make(conversationId);
    this.#queues.set(conversationId, queue);
    return queue;
  }

  /** Abort all uploads. */
  stop(): void {
    for (const queue of this.#queues.values()) queue.stop();
  }
}

import type { AttachmentRef } from "@parley/sdk";
import { useStore } from "../common/useStore.ts";
import { useChat } from "../connection/context.ts";
import type { Upload } from "./uploads.ts";

export type { Upload } from "./uploads.ts";

export interface Uploads {
  all: readonly Upload[];
  done: readonly AttachmentRef[];
  isBusy: boolean;
  add: (files: File[]) => void;
  retry: (id: number) => void;
  remove: (id: number) => void;
  /** Remove and return the uploaded files; failed ones stay. */
  take: () => AttachmentRef[];
}

/** The files chosen for the next message of a conversation. */
export function useUploads(conversationId: string): Uploads {
  const queue = useChat().uploads.of(conversationId);
  const all = useStore(queue.store);
  return {
    all,
    done: all.flatMap((upload) => (upload.result ? [upload.result] : [])),
    isBusy: all.some((upload) => !upload.result && !upload.error),
    add: (files) => queue.add(files),
    retry: (id) => queue.retry(id),
    remove: (id) => queue.remove(id),
    take: () => queue.take(),
  };
}

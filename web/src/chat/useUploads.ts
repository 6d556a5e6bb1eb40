import { useEffect, useRef, useState } from "react";
import { type AttachmentRef, ChatError } from "@parley/sdk";
import { useChat } from "./context.ts";
import { explain } from "./explain.ts";
import { measure, rememberLocal } from "./images.ts";

const MOST = 10;

export interface Upload {
  id: number;
  file: File;
  /** 0 to 1. */
  share: number;
  error: string | null;
  result: AttachmentRef | null;
  cancel: () => void;
}

export interface Uploads {
  all: readonly Upload[];
  done: readonly AttachmentRef[];
  isBusy: boolean;
  add: (files: File[]) => void;
  retry: (id: number) => void;
  remove: (id: number) => void;
  /** Hand over what is uploaded, and begin anew. */
  take: () => AttachmentRef[];
}

/** The files chosen for the next message of a conversation; each is uploaded at once. */
export function useUploads(conversationId: string): Uploads {
  const { client, notices } = useChat();
  const [all, setAll] = useState<readonly Upload[]>([]);
  const nextId = useRef(1);
  const running = useRef(new Set<AbortController>());

  useEffect(() => {
    const controllers = running.current;
    return () => controllers.forEach((controller) => controller.abort());
  }, []);

  function change(id: number, part: Partial<Upload>) {
    setAll((before) => before.map((upload) => (upload.id === id ? { ...upload, ...part } : upload)));
  }

  async function run(id: number, file: File, abort: AbortController) {
    running.current.add(abort);
    try {
      const onProgress = (share: number) => change(id, { share });
      const result = await client.upload(conversationId, file, { onProgress, signal: abort.signal });
      rememberLocal(result.attachmentId, file);
      change(id, { share: 1, result: { ...result, ...(await measure(file)) } });
    } catch (error) {
      if (!(error instanceof ChatError && error.code === "cancelled")) change(id, { error: explain(error) });
    } finally {
      running.current.delete(abort);
    }
  }

  function begin(id: number, file: File): Upload {
    const abort = new AbortController();
    void run(id, file, abort);
    return { id, file, share: 0, error: null, result: null, cancel: () => abort.abort() };
  }

  function add(files: File[]) {
    const room = MOST - all.length;
    if (files.length > room) notices.say(`A message takes up to ${MOST} files.`);
    const begun = files.slice(0, room).map((file) => begin(nextId.current++, file));
    if (begun.length > 0) setAll((before) => [...before, ...begun]);
  }

  function retry(id: number) {
    const failed = all.find((upload) => upload.id === id);
    if (failed) change(id, begin(id, failed.file));
  }

  function remove(id: number) {
    all.find((upload) => upload.id === id)?.cancel();
    setAll((before) => before.filter((upload) => upload.id !== id));
  }

  const done = all.flatMap((upload) => (upload.result ? [upload.result] : []));
  const isBusy = all.some((upload) => !upload.result && !upload.error);
  return { all, done, isBusy, add, retry, remove, take: () => (setAll([]), done) };
}

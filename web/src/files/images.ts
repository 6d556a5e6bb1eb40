import { useEffect, useState } from "react";
import type { AttachmentRef } from "@parley/sdk";
import { useChat } from "../connection/context.ts";

const urls = new Map<string, string>();
const loading = new Map<string, Promise<string>>();

/** Show what was just uploaded from this device rather than fetch it back. */
export function rememberLocal(attachmentId: string, file: File): void {
  if (file.type.startsWith("image/")) urls.set(attachmentId, URL.createObjectURL(file));
}

/** An image's size in pixels; nothing for other files. */
export async function measure(file: File): Promise<{ width: number; height: number } | null> {
  if (!file.type.startsWith("image/")) return null;
  try {
    const { width, height } = await createImageBitmap(file);
    return { width, height };
  } catch {
    return null;
  }
}

/** A local address for an attachment's thumbnail, once `isWanted`; each is fetched once per page. */
export function useThumbnail(conversationId: string, { attachmentId }: AttachmentRef, isWanted: boolean) {
  const { client } = useChat();
  const [url, setUrl] = useState(urls.get(attachmentId) ?? null);
  const [failed, setFailed] = useState(false);

  useEffect(() => {
    if (!isWanted || url) return;
    let current = true;
    fetchOnce(attachmentId, () => client.api.download(conversationId, attachmentId, "thumbnail"))
      .then((fetched) => current && setUrl(fetched))
      .catch(() => current && setFailed(true));
    return () => {
      current = false;
    };
  }, [client, conversationId, attachmentId, isWanted, url]);

  return { url, failed };
}

function fetchOnce(id: string, fetchBlob: () => Promise<Blob>): Promise<string> {
  const pending = loading.get(id);
  if (pending) return pending;
  const promise = fetchBlob().then((blob) => {
    const url = URL.createObjectURL(blob);
    urls.set(id, url);
    return url;
  });
  loading.set(id, promise);
  promise.catch(() => undefined).finally(() => loading.delete(id));
  return promise;
}

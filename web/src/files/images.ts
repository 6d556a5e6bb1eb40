import type { AttachmentRef } from "@parley/sdk";
import { useAsync } from "../common/useAsync.ts";
import { useChat } from "../connection/context.ts";

const urls = new Map<string, string>();
const loading = new Map<string, Promise<string>>();

/** Keep an image that was uploaded from this device, so that it is shown without a download. */
export function rememberLocal(attachmentId: string, file: File): void {
  if (file.type.startsWith("image/")) urls.set(attachmentId, URL.createObjectURL(file));
}

/** An image's size in pixels; null for other files. */
export async function measure(file: File): Promise<{ width: number; height: number } | null> {
  if (!file.type.startsWith("image/")) return null;
  try {
    const { width, height } = await createImageBitmap(file);
    return { width, height };
  } catch {
    return null;
  }
}

/** A local address for an attachment's thumbnail, loaded once `isWanted`; each is fetched once per page. */
export function useThumbnail(conversationId: string, { attachmentId }: AttachmentRef, isWanted: boolean) {
  const { api } = useChat().client;
  const { value, error } = useAsync(isWanted ? attachmentId : null, () =>
    fetchOnce(attachmentId, () => api.download(conversationId, attachmentId, "thumbnail")),
  );
  return { url: urls.get(attachmentId) ?? value, failed: error !== null };
}

function fetchOnce(id: string, fetchBlob: () => Promise<Blob>): Promise<string> {
  const local = urls.get(id);
  if (local !== undefined) return Promise.resolve(local);
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

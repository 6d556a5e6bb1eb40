import type { ChatApi } from "./api.ts";
import { backoffMs } from "./backoff.ts";
import { ChatError, asChatError, errorFromResponse } from "./errors.ts";
import type { AttachmentRef, UploadGrant } from "./types.ts";

const ATTEMPTS = 4;

export interface UploadOptions {
  /** Called with the share sent, 0 to 1. */
  onProgress?: (share: number) => void;
  signal?: AbortSignal;
}

/** Anything with a name, a type and bytes; a browser's `File` is one. */
export type Uploadable = Blob & { readonly name: string };

/**
 * Get a grant and put the file straight into storage; a failed attempt begins again with a new grant.
 *
 * Returns what a message refers to. The service checks the file when that message is sent.
 */
export async function upload(
  api: Pick<ChatApi, "grantUpload">,
  conversationId: string,
  file: Uploadable,
  options: UploadOptions = {},
): Promise<AttachmentRef> {
  const about = {
    fileName: file.name,
    contentType: file.type || "application/octet-stream",
    sizeBytes: file.size,
  };
  for (let attempt = 0; ; attempt += 1) {
    try {
      const grant = await api.grantUpload(conversationId, about);
      await put(grant, file, options);
      // The service has granted this type, so it is one of those that the contract names.
      const contentType = about.contentType as AttachmentRef["contentType"];
      return { ...about, contentType, attachmentId: grant.attachmentId, width: null, height: null, state: "pending" };
    } catch (thrown) {
      const error = asChatError(thrown);
      if (options.signal?.aborted || !error.isTransient || attempt + 1 >= ATTEMPTS) throw error;
      await pause(error.retryAfterMs ?? backoffMs(attempt), options.signal);
    }
  }
}

function put(grant: UploadGrant, file: Blob, options: UploadOptions): Promise<void> {
  return typeof XMLHttpRequest === "undefined" ? putByFetch(grant, file, options) : putByXhr(grant, file, options);
}

async function putByFetch(grant: UploadGrant, file: Blob, options: UploadOptions): Promise<void> {
  const response = await fetch(grant.uploadUrl, {
    method: "PUT",
    headers: grant.headers,
    body: file,
    ...(options.signal ? { signal: options.signal } : {}),
  });
  if (!response.ok) throw errorFromResponse(response.status, null, response.headers.get("retry-after"));
  options.onProgress?.(1);
}

/** `fetch` does not tell how much of a body has been sent; XMLHttpRequest does. */
function putByXhr(grant: UploadGrant, file: Blob, options: UploadOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", grant.uploadUrl);
    for (const [name, value] of Object.entries(grant.headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) options.onProgress?.(event.loaded / event.total);
    };
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) resolve();
      else reject(errorFromResponse(request.status, null, null));
    };
    request.onerror = () => reject(new ChatError("network", "the upload was cut off"));
    request.onabort = () => reject(new ChatError("cancelled", "the upload was cancelled"));
    options.signal?.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new ChatError("cancelled", "the upload was cancelled"));
    });
  });
}

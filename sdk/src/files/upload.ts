import { ChatError, errorFromResponse } from "../common/errors.ts";
import { Pause, retrying } from "../common/retrying.ts";
import type { ChatApi } from "../connection/api.ts";
import type { AttachmentRef, UploadGrant } from "../types.ts";

const ATTEMPTS = 4;

export interface UploadOptions {
  /** Called with the share that was sent, from 0 to 1. */
  onProgress?: (share: number) => void;
  signal?: AbortSignal;
}

/** Anything with a name, a type and bytes; a browser's `File` is one. */
export type Uploadable = Blob & { readonly name: string };

/**
 * Get a grant from the service and put the file into storage; a failed attempt begins again with a new grant.
 *
 * Returns the reference to send with a message; the service checks the file when that message is sent. Throws a
 * ChatError, with the code `cancelled` once `signal` is aborted.
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
  const pause = new Pause();
  const { signal } = options;
  if (signal?.aborted) pause.close();
  signal?.addEventListener("abort", () => pause.close());
  const attempt = async (): Promise<string> => {
    const grant = await api.grantUpload(conversationId, about);
    signal?.throwIfAborted();
    await put(grant, file, options);
    return grant.attachmentId;
  };
  const attachmentId = await retrying(attempt, { pause, attempts: ATTEMPTS }).catch((error: unknown) => {
    throw signal?.aborted ? new ChatError("cancelled", "the upload was cancelled", { cause: error }) : error;
  });
  // The service granted this type, so it is one of the types that docs/openapi.yaml names.
  const contentType = about.contentType as AttachmentRef["contentType"];
  return { ...about, contentType, attachmentId, width: null, height: null, state: "pending" };
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
    request.onerror = () => reject(new ChatError("network", "the upload was interrupted"));
    request.onabort = () => reject(new ChatError("cancelled", "the upload was cancelled"));
    options.signal?.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

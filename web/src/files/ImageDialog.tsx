import type { AttachmentRef } from "@parley/sdk";
import { explain } from "../common/explain.ts";
import { useAsync } from "../common/useAsync.ts";
import { useChat } from "../connection/context.ts";
import { Dialog } from "../controls/Dialog.tsx";

interface Props {
  conversationId: string;
  attachment: AttachmentRef;
  onClose: () => void;
}

/** Shows a picture in full size. */
export function ImageDialog({ conversationId, attachment, onClose }: Props) {
  const { client } = useChat();
  const { value: url, error } = useAsync(
    attachment.attachmentId,
    async () => URL.createObjectURL(await client.api.download(conversationId, attachment.attachmentId)),
    (loaded) => URL.revokeObjectURL(loaded),
  );

  return (
    <Dialog title={attachment.fileName} className="image-dialog" onClose={onClose}>
      {url && <img src={url} alt={attachment.fileName} />}
      {!url && error === null && <p role="status">Loading…</p>}
      {error !== null && <p role="alert">{explain(error)}</p>}
      {url && <a className="button" href={url} download={attachment.fileName}>Download</a>}
    </Dialog>
  );
}

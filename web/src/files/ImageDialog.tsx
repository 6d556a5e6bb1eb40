import { useEffect, useState } from "react";
import type { AttachmentRef } from "@parley/sdk";
import { useChat } from "../connection/context.ts";
import { explain } from "../common/explain.ts";
import { Dialog } from "../controls/Dialog.tsx";

interface Props {
  conversationId: string;
  attachment: AttachmentRef;
  onClose: () => void;
}

/** A picture in full. */
export function ImageDialog({ conversationId, attachment, onClose }: Props) {
  const { client } = useChat();
  const [url, setUrl] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);

  useEffect(() => {
    let made: string | null = null;
    let current = true;
    client.api
      .download(conversationId, attachment.attachmentId)
      .then((blob) => {
        if (!current) return;
        made = URL.createObjectURL(blob);
        setUrl(made);
      })
      .catch((thrown: unknown) => current && setError(explain(thrown)));
    return () => {
      current = false;
      if (made) URL.revokeObjectURL(made);
    };
  }, [client, conversationId, attachment]);

  return (
    <Dialog title={attachment.fileName} className="image-dialog" onClose={onClose}>
      {url && <img src={url} alt={attachment.fileName} />}
      {!url && !error && <p role="status">Loading…</p>}
      {error && <p role="alert">{error}</p>}
      {url && <a className="button" href={url} download={attachment.fileName}>Download</a>}
    </Dialog>
  );
}

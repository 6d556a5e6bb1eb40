import { useEffect, useRef, useState } from "react";
import type { AttachmentRef } from "@parley/sdk";
import { fileSize } from "../common/format.ts";
import { useChat } from "../connection/context.ts";
import { Icon } from "../controls/icons.tsx";
import { ImageDialog } from "./ImageDialog.tsx";
import { useThumbnail } from "./images.ts";

interface Props {
  conversationId: string;
  attachment: AttachmentRef;
}

export function AttachmentView({ conversationId, attachment }: Props) {
  if (attachment.state === "rejected") {
    return <p className="file file-rejected">{attachment.fileName}: removed, it was found to be unsafe.</p>;
  }
  return attachment.contentType.startsWith("image/") ? (
    <Picture conversationId={conversationId} attachment={attachment} />
  ) : (
    <FileLink conversationId={conversationId} attachment={attachment} />
  );
}

const BOX_PX = 280;

/** A thumbnail in a box of its final size, so that the messages do not move when it loads. */
function Picture({ conversationId, attachment }: Props) {
  const [isSeen, setSeen] = useState(false);
  const [isOpen, setOpen] = useState(false);
  const element = useRef<HTMLButtonElement>(null);
  const { url, failed } = useThumbnail(conversationId, attachment, isSeen);
  const { width, height, fileName } = attachment;
  const scale = Math.min(1, BOX_PX / Math.max(width ?? BOX_PX, height ?? BOX_PX));
  const size = { width: (width ?? BOX_PX) * scale, height: (height ?? BOX_PX) * scale };

  useEffect(() => {
    if (!element.current) return;
    const observer = new IntersectionObserver((seen) => seen.some((entry) => entry.isIntersecting) && setSeen(true));
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);

  if (failed) return <FileLink conversationId={conversationId} attachment={attachment} />;
  return (
    <>
      <button ref={element} className="picture" style={size} aria-label={`Open picture ${fileName}`} onClick={() => setOpen(true)}>
        {url && <img src={url} alt="" />}
      </button>
      {isOpen && <ImageDialog conversationId={conversationId} attachment={attachment} onClose={() => setOpen(false)} />}
    </>
  );
}

function FileLink({ conversationId, attachment }: Props) {
  const { client, toasts } = useChat();
  const [isBusy, setBusy] = useState(false);

  async function download() {
    setBusy(true);
    await toasts.guard(async () => {
      const blob = await client.api.download(conversationId, attachment.attachmentId);
      saveAs(blob, attachment.fileName);
    });
    setBusy(false);
  }

  return (
    <button className="file" disabled={isBusy} onClick={() => void download()}>
      <Icon name="file" />
      <span className="file-name" dir="auto">{attachment.fileName}</span>
      <span className="file-size">{isBusy ? "Loading…" : fileSize(attachment.sizeBytes)}</span>
    </button>
  );
}

function saveAs(blob: Blob, fileName: string) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = fileName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

import { type KeyboardEvent, type SubmitEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Message } from "@parley/sdk";
import { summary } from "../common/format.ts";
import { useChat } from "../connection/context.ts";
import { Icon } from "../controls/icons.tsx";
import { UploadList } from "../files/UploadList.tsx";
import type { Uploads } from "../files/useUploads.ts";
import { usePeople } from "../people/naming.ts";
import { readDraft, writeDraft } from "./drafts.ts";

const MAX_CHARACTERS = 8_000;
const COUNT_FROM = 7_500;

interface Props {
  conversationId: string;
  uploads: Uploads;
  replyTo: Message | null;
  onReplyDone: () => void;
  onSent: () => void;
}

export function Composer({ conversationId, uploads, replyTo, onReplyDone, onSent }: Props) {
  const { client } = useChat();
  const [text, setText] = useState(() => readDraft(client.userId, conversationId));
  const field = useGrowingField(text, replyTo);
  const length = Array.from(text).length;
  const hasContent = text.trim() !== "" || uploads.done.length > 0;
  const canSend = hasContent && !uploads.isBusy && length <= MAX_CHARACTERS;

  useEffect(() => writeDraft(client.userId, conversationId, text), [client, conversationId, text]);

  function send(event?: SubmitEvent) {
    event?.preventDefault();
    if (!canSend) return;
    const attachments = uploads.take();
    void client.send(conversationId, { body: text.trim(), attachments, replyTo: replyTo?.sequence ?? null });
    setText("");
    onReplyDone();
    onSent();
    field.current?.focus();
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape" && replyTo) {
      onReplyDone();
    }
  }

  return (
    <form className="composer" onSubmit={send}>
      {replyTo && <ReplyBar message={replyTo} onCancel={onReplyDone} />}
      <UploadList uploads={uploads} />
      <div className="composer-row">
        <AttachButton uploads={uploads} />
        <textarea
          ref={field}
          rows={1}
          dir="auto"
          value={text}
          aria-label="Message"
          placeholder="Message"
          enterKeyHint="send"
          onChange={(event) => {
            setText(event.target.value);
            if (event.target.value) client.keystroke(conversationId);
          }}
          onKeyDown={onKeyDown}
          onPaste={(event) => {
            const files = [...event.clipboardData.files];
            if (files.length > 0) uploads.add(files);
          }}
        />
        <button className="send primary" type="submit" aria-label="Send" disabled={!canSend}>
          <Icon name="send" />
        </button>
      </div>
      {length > COUNT_FROM && (
        <p className={length > MAX_CHARACTERS ? "count count-over" : "count"} role="status">
          {length > MAX_CHARACTERS ? `${length - MAX_CHARACTERS} characters too long` : `${MAX_CHARACTERS - length} left`}
        </p>
      )}
    </form>
  );
}

function ReplyBar({ message, onCancel }: { message: Message; onCancel: () => void }) {
  const find = usePeople();
  return (
    <div className="reply-bar">
      <span className="reply-text">
        <strong dir="auto">{find(message.senderId).displayName}</strong>
        <span dir="auto">{summary(message)}</span>
      </span>
      <button type="button" className="icon-button" aria-label="Do not reply" onClick={onCancel}>
        <Icon name="close" size={16} />
      </button>
    </div>
  );
}

function AttachButton({ uploads }: { uploads: Uploads }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" className="icon-button" aria-label="Attach files" onClick={() => input.current?.click()}>
        <Icon name="attach" />
      </button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        onChange={(event) => {
          uploads.add([...(event.target.files ?? [])]);
          event.target.value = "";
        }}
      />
    </>
  );
}

/** A field that grows with its text and takes the focus when its conversation opens or a reply begins. */
function useGrowingField(text: string, replyTo: Message | null) {
  const field = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [text]);
  useEffect(() => {
    if (replyTo || matchMedia("(hover: hover)").matches) field.current?.focus();
  }, [replyTo]);
  return field;
}

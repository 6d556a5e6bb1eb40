import type { OutboxEntry } from "@parley/sdk";
import { explainCode } from "../common/explain.ts";
import { useChat } from "../connection/context.ts";

/** Shows why an own message was refused, and what the user can do. */
export function FailedNote({ entry }: { entry: OutboxEntry }) {
  const { client } = useChat();
  const { code, detail } = entry.failure ?? { code: "unknown", detail: "" };
  return (
    <p className="failed-note" role="alert">
      {explainCode(code, detail)}{" "}
      <button className="link" onClick={() => void client.retry(entry.clientMessageId)}>Try again</button>{" "}
      <button className="link" onClick={() => void client.discard(entry.clientMessageId)}>Delete</button>
    </p>
  );
}

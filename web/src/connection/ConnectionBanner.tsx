import { useEffect, useState } from "react";
import { useStore } from "../common/useStore.ts";
import { useChat } from "./context.ts";

const PATIENCE_MS = 1_500;

/** Says that messages cannot be sent or received now, unless the interruption is shorter than 1.5 seconds. */
export function ConnectionBanner() {
  const { client } = useChat();
  const { phase, deviceOnline } = useStore(client.connection);
  const { waiting } = useStore(client.outbox);
  const hasLasted = useLasting(phase === "reconnecting", PATIENCE_MS);
  const isShown = hasLasted || (phase !== "online" && !deviceOnline);
  const text = isShown ? downText(deviceOnline) : waitingText(waiting?.code ?? null);

  return (
    <div className="banner-place" role="status">
      {text && <p className={`banner ${isShown ? "banner-down" : "banner-wait"}`}>{text}</p>}
    </div>
  );
}

function downText(deviceOnline: boolean): string {
  return deviceOnline ? "Reconnecting…" : "Offline: messages are sent when you are back.";
}

function waitingText(code: string | null): string {
  if (code === null) return "";
  return code === "rate_limited"
    ? "You are writing faster than allowed. Your messages follow in a moment."
    : "The service is busy. Your messages are kept and sent in a moment.";
}

/** `value`, but true only once it has been true for `ms`. */
function useLasting(value: boolean, ms: number): boolean {
  const [lasting, setLasting] = useState(false);
  useEffect(() => {
    if (!value) return;
    const timer = setTimeout(() => setLasting(true), ms);
    return () => {
      clearTimeout(timer);
      setLasting(false);
    };
  }, [value, ms]);
  return value && lasting;
}

import { useEffect, useState } from "react";
import { useChat } from "../chat/context.ts";
import { canNotify, serviceWorker } from "../chat/notifications.ts";
import { Icon } from "./icons.tsx";

/** Turns notifications for this browser on and off. */
export function NotificationsButton() {
  const { client, notices } = useChat();
  const [isOn, setOn] = useState(false);
  const [isBusy, setBusy] = useState(false);

  useEffect(() => {
    if (!canNotify()) return;
    let current = true;
    serviceWorker()
      .then((registration) => client.push.isEnabled(registration))
      .then((enabled) => current && setOn(enabled))
      .catch(() => undefined);
    return () => {
      current = false;
    };
  }, [client]);

  if (!canNotify()) return null;

  async function toggle() {
    setBusy(true);
    const changed = await notices.guard(async () => {
      const registration = await serviceWorker();
      await (isOn ? client.push.disable(registration) : client.push.enable(registration));
    });
    if (changed) setOn(!isOn);
    setBusy(false);
  }

  return (
    <button
      className="icon-button"
      aria-label="Notifications"
      title={isOn ? "Turn notifications off" : "Notify me of new messages"}
      aria-pressed={isOn}
      disabled={isBusy}
      onClick={() => void toggle()}
    >
      <Icon name={isOn ? "bell" : "muted"} />
    </button>
  );
}

import { useEffect, useState } from "react";
import { useChat } from "../connection/context.ts";
import { canNotify, serviceWorker } from "./notifications.ts";

/** Turns notifications for this browser on and off. */
export function NotificationsSwitch() {
  const { client, toasts } = useChat();
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

  if (!canNotify()) return <p>This browser cannot show notifications of this page.</p>;

  async function toggle() {
    setBusy(true);
    const changed = await toasts.guard(async () => {
      const registration = await serviceWorker();
      await (isOn ? client.push.disable(registration) : client.push.enable(registration));
    });
    if (changed) setOn(!isOn);
    setBusy(false);
  }

  return (
    <label className="person-choice">
      <input type="checkbox" role="switch" checked={isOn} disabled={isBusy} onChange={() => void toggle()} />
      Notify me on this device
    </label>
  );
}

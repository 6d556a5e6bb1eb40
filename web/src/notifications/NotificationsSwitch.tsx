import { useState } from "react";
import { useAsync } from "../common/useAsync.ts";
import { useChat } from "../connection/context.ts";
import { canNotify, serviceWorker } from "./notifications.ts";

/** Turns notifications for this browser on and off. */
export function NotificationsSwitch() {
  const { client, toasts } = useChat();
  const { value: wasOn } = useAsync(canNotify() ? "push" : null, async () => client.push.isEnabled(await serviceWorker()));
  const [chosen, setChosen] = useState<boolean | null>(null);
  const [isBusy, setBusy] = useState(false);
  const isOn = chosen ?? wasOn ?? false;

  if (!canNotify()) return <p>This browser cannot show notifications of this page.</p>;

  async function toggle() {
    setBusy(true);
    const changed = await toasts.guard(async () => {
      const registration = await serviceWorker();
      await (isOn ? client.push.disable(registration) : client.push.enable(registration));
    });
    if (changed) setChosen(!isOn);
    setBusy(false);
  }

  return (
    <label className="person-choice">
      <input type="checkbox" role="switch" checked={isOn} disabled={isBusy} onChange={() => void toggle()} />
      Notify me on this device
    </label>
  );
}

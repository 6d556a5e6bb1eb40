import { Dialog } from "../controls/Dialog.tsx";
import { NotificationsSwitch } from "./NotificationsSwitch.tsx";
import { PreviewChoice } from "./PreviewChoice.tsx";

export function NotificationsDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Notifications" onClose={onClose}>
      <NotificationsSwitch />
      <PreviewChoice />
    </Dialog>
  );
}

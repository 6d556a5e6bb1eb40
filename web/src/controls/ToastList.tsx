import { useStore } from "../common/useStore.ts";
import { useChat } from "../connection/context.ts";
import { Icon } from "./icons.tsx";

export function ToastList() {
  const { toasts } = useChat();
  const shown = useStore(toasts.store);
  return (
    <div className="toasts" role="alert">
      {shown.map((toast) => (
        <p key={toast.id} className="toast">
          <span>{toast.text}</span>
          <button className="icon-button" aria-label="Dismiss" onClick={() => toasts.dismiss(toast.id)}>
            <Icon name="close" size={16} />
          </button>
        </p>
      ))}
    </div>
  );
}

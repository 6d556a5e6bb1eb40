import { useChat } from "../chat/context.ts";
import { useStore } from "../chat/useStore.ts";
import { Icon } from "./icons.tsx";

export function NoticeList() {
  const { notices } = useChat();
  const shown = useStore(notices.store);
  return (
    <div className="notices" role="alert">
      {shown.map((notice) => (
        <p key={notice.id} className="notice">
          <span>{notice.text}</span>
          <button className="icon-button" aria-label="Dismiss" onClick={() => notices.dismiss(notice.id)}>
            <Icon name="close" size={16} />
          </button>
        </p>
      ))}
    </div>
  );
}

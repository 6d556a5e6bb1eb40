import { Mark } from "./controls/icons.tsx";

export function EmptyPane() {
  return (
    <div className="empty-pane">
      <Mark size={72} />
      <h2>Your conversations</h2>
      <p>Pick one on the left, or start a new one.</p>
    </div>
  );
}

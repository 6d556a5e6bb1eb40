import { Component, type ReactNode } from "react";

interface Props {
  /** Shown in place of children that failed; `retry` renders them again. */
  fallback: (retry: () => void) => ReactNode;
  children: ReactNode;
}

/** Limits a failure to its children: the rest of the page keeps working. */
export class ErrorBoundary extends Component<Props, { hasFailed: boolean }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError() {
    return { hasFailed: true };
  }

  override render() {
    if (!this.state.hasFailed) return this.props.children;
    return this.props.fallback(() => this.setState({ hasFailed: false }));
  }
}

/** Shown in place of a part of the page that failed; offers to try again and to reload. */
export function Broken({ what, onRetry }: { what: string; onRetry: () => void }) {
  return (
    <div className="empty-pane" role="alert" data-broken="">
      <p>{what} could not be shown. Your messages are safe.</p>
      <p className="button-row">
        <button onClick={onRetry}>Try again</button>
        <button className="primary" onClick={() => location.reload()}>Reload the page</button>
      </p>
    </div>
  );
}

/** Shown in place of a message that failed to render. */
export function BrokenMessage({ onRetry }: { onRetry: () => void }) {
  return (
    <li className="message-item" data-broken="">
      <p className="system-line" role="alert">
        This message could not be shown. <button className="link" onClick={onRetry}>Try again</button>
      </p>
    </li>
  );
}

import { Component, type ReactNode } from "react";

interface Props {
  /** What is shown in place of what broke; `retry` renders it anew. */
  fallback: (retry: () => void) => ReactNode;
  children: ReactNode;
}

/** Keeps a failure to what it stands around: everything else of the page lives on. */
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

/** Stands in for a part of the page that broke, and offers ways on. */
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

/** Stands in for one message that cannot be shown. */
export function BrokenMessage({ onRetry }: { onRetry: () => void }) {
  return (
    <li className="message-item" data-broken="">
      <p className="system-line" role="alert">
        This message could not be shown. <button className="link" onClick={onRetry}>Try again</button>
      </p>
    </li>
  );
}

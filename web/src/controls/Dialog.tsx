import { type ReactNode, useId, useLayoutEffect, useRef } from "react";
import { ToastList } from "./ToastList.tsx";
import { Icon } from "./icons.tsx";

interface Props {
  title: string;
  className?: string;
  children: ReactNode;
  onClose: () => void;
}

/** A modal dialog by the browser's `<dialog>`, which keeps the focus inside, closes on Escape and gives the focus back. */
export function Dialog({ title, className = "", children, onClose }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  const titleId = useId();

  // The dialog must close before it leaves the document, or the browser does not give the focus back.
  useLayoutEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);

  return (
    <dialog
      ref={element}
      className={className}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => event.target === element.current && onClose()}
    >
      <div className="dialog-body">
        <header className="dialog-head">
          <h2 id={titleId} dir="auto">{title}</h2>
          <button className="icon-button" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
      <ToastList />
    </dialog>
  );
}

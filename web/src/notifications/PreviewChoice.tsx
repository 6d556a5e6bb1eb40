import { useState } from "react";
import type { PreviewLevel } from "@parley/sdk";
import { useAsync } from "../common/useAsync.ts";
import { useChat } from "../connection/context.ts";

const LEVELS: [PreviewLevel, string][] = [
  ["text", "Who wrote, and what"],
  ["sender", "Only who wrote"],
  ["nothing", "Only that there is something new"],
];

/** Chooses how much of a message a notification shows on the screen. */
export function PreviewChoice() {
  const { client, toasts } = useChat();
  const { value: stored } = useAsync("preview", () =>
    client.api.me().then(({ settings }) => settings.preview, toasts.showError),
  );
  const [chosen, setChosen] = useState<PreviewLevel | null>(null);
  const level = chosen ?? stored;

  async function choose(next: PreviewLevel) {
    setChosen(next);
    if (!(await toasts.guard(() => client.api.setPreview(next)))) setChosen(level);
  }

  return (
    <fieldset className="choices" disabled={level === null}>
      <legend>A notification shows</legend>
      {LEVELS.map(([value, label]) => (
        <label key={value} className="person-choice">
          <input type="radio" name="preview" checked={level === value} onChange={() => void choose(value)} />
          {label}
        </label>
      ))}
    </fieldset>
  );
}

import { useEffect, useState } from "react";
import type { PreviewLevel } from "@parley/sdk";
import { useChat } from "../connection/context.ts";

const LEVELS: [PreviewLevel, string][] = [
  ["text", "Who wrote, and what"],
  ["sender", "Only who wrote"],
  ["nothing", "Only that there is something new"],
];

/** How much a notification tells whoever looks at the screen. */
export function PreviewChoice() {
  const { client, toasts } = useChat();
  const [level, setLevel] = useState<PreviewLevel | null>(null);

  useEffect(() => {
    let current = true;
    void toasts.guard(async () => {
      const { settings } = await client.api.me();
      if (current) setLevel(settings.preview);
    });
    return () => {
      current = false;
    };
  }, [client, toasts]);

  async function choose(wanted: PreviewLevel) {
    setLevel(wanted);
    if (!(await toasts.guard(() => client.api.setPreview(wanted)))) setLevel(level);
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

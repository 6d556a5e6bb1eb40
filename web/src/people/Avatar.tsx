import { useState } from "react";
import { Icon } from "../controls/icons.tsx";
import type { Person } from "./directory.ts";

export function Avatar({ person, online, size = "medium" }: { person: Person; online?: boolean; size?: Size }) {
  const [brokenUrl, setBrokenUrl] = useState<string | null>(null);
  const { avatarUrl, displayName } = person;
  return (
    <span className={`avatar avatar-${size}`} data-hue={hueOf(person.userId)}>
      {avatarUrl && avatarUrl !== brokenUrl ? (
        <img src={avatarUrl} alt="" onError={() => setBrokenUrl(avatarUrl)} />
      ) : (
        <span aria-hidden="true">{initials(displayName)}</span>
      )}
      {online && <span className="online-dot" role="img" aria-label="online" />}
    </span>
  );
}

export function GroupAvatar({ id, size = "medium" }: { id: string; size?: Size }) {
  return (
    <span className={`avatar avatar-group avatar-${size}`} data-hue={hueOf(id)}>
      <Icon name="people" size={size === "small" ? 16 : 22} />
    </span>
  );
}

type Size = "small" | "medium" | "large";

function initials(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  const chosen = words.length > 1 ? [words[0], words.at(-1)] : words;
  return chosen.map((word) => Array.from(word ?? "")[0] ?? "").join("").toUpperCase() || "?";
}

/** One of six colours, always the same for the same id. */
function hueOf(id: string): number {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 65_521;
  return sum % 6;
}

import { useState } from "react";
import { useChat } from "../chat/context.ts";
import { useStore } from "../chat/useStore.ts";
import { Avatar } from "./Avatar.tsx";

interface Props {
  chosen: ReadonlySet<string>;
  /** People who are not offered. */
  without?: ReadonlySet<string>;
  onToggle: (userId: string) => void;
}

/** Choose among this user's contacts. */
export function PeoplePicker({ chosen, without, onToggle }: Props) {
  const { directory } = useChat();
  const { contacts, failed } = useStore(directory.store);
  const [search, setSearch] = useState("");
  const wanted = search.trim().toLocaleLowerCase();
  const offered = (contacts ?? []).filter(
    ({ userId, displayName }) => !without?.has(userId) && displayName.toLocaleLowerCase().includes(wanted),
  );

  if (!contacts && failed) {
    return (
      <p role="alert">
        Your contacts could not be loaded. <button className="link" onClick={() => void directory.load()}>Try again</button>
      </p>
    );
  }
  if (!contacts) return <p role="status">Loading contacts…</p>;
  return (
    <div className="people-picker">
      <input
        type="search"
        aria-label="Search contacts"
        placeholder="Search contacts"
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      <ul>
        {offered.map((contact) => (
          <li key={contact.userId}>
            <label className="person-choice">
              <input type="checkbox" checked={chosen.has(contact.userId)} onChange={() => onToggle(contact.userId)} />
              <Avatar person={contact} size="small" online={contact.presence.status === "online"} />
              <span dir="auto">{contact.displayName}</span>
            </label>
          </li>
        ))}
      </ul>
      {offered.length === 0 && <p>Nobody to choose from.</p>}
    </div>
  );
}

/** A set of chosen people, and how to change it. */
export function useChosen(): [ReadonlySet<string>, (userId: string) => void] {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const toggle = (userId: string) => {
    const next = new Set(chosen);
    if (!next.delete(userId)) next.add(userId);
    setChosen(next);
  };
  return [chosen, toggle];
}

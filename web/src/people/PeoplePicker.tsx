import { useState } from "react";
import type { Presence } from "@parley/sdk";
import { useAsync } from "../common/useAsync.ts";
import { useStore } from "../common/useStore.ts";
import { useChat } from "../connection/context.ts";
import { Avatar } from "./Avatar.tsx";
import type { Person } from "./directory.ts";

interface Props {
  chosen: ReadonlySet<string>;
  /** People who are not listed. */
  without?: ReadonlySet<string>;
  onToggle: (userId: string) => void;
}

const SEARCH_AFTER_MS = 250;

/** Chooses among this user's contacts (without contacts: the people whom the website suggests) and the results of a search. */
export function PeoplePicker({ chosen, without, onToggle }: Props) {
  const { directory } = useChat();
  const { contacts, suggested, failed } = useStore(directory.store);
  const [search, setSearch] = useState("");
  const words = search.trim().toLocaleLowerCase();
  const results = useSearch(words);
  const familiar: readonly Choice[] = contacts?.length ? contacts : suggested;
  const listed = familiar.filter(
    ({ userId, displayName }) => displayName.toLocaleLowerCase().includes(words) || userId.toLowerCase().includes(words),
  );
  const familiarIds = new Set(familiar.map(({ userId }) => userId));
  const matching: readonly Choice[] = [...listed, ...results.filter(({ userId }) => !familiarIds.has(userId))];
  const shown = matching.filter(({ userId }) => !without?.has(userId));

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
        aria-label="Search people"
        placeholder="Search people by name or id"
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      <ul>
        {shown.map((person) => (
          <li key={person.userId}>
            <label className="person-choice">
              <input type="checkbox" checked={chosen.has(person.userId)} onChange={() => onToggle(person.userId)} />
              <Avatar person={person} size="small" online={person.presence?.status === "online"} />
              <span dir="auto">{person.displayName}</span>
            </label>
          </li>
        ))}
      </ul>
      {shown.length === 0 && (
        <p role="status">
          {words ? "Nobody of this name or id has signed in yet." : "Search for somebody by their name or user id."}
        </p>
      )}
    </div>
  );
}

type Choice = Person & { presence?: Presence };

/** The people whom the website finds for these words, searched for a moment after the last keystroke. */
function useSearch(words: string): readonly Person[] {
  const { directory } = useChat();
  const { value } = useAsync(words || null, async (signal) => {
    await new Promise((resolve) => setTimeout(resolve, SEARCH_AFTER_MS));
    return signal.aborted ? [] : directory.search(words);
  });
  return value ?? [];
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

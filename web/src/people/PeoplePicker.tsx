import { useEffect, useState } from "react";
import type { Presence } from "@parley/sdk";
import { useChat } from "../connection/context.ts";
import type { Person } from "./directory.ts";
import { useStore } from "../common/useStore.ts";
import { Avatar } from "./Avatar.tsx";

interface Props {
  chosen: ReadonlySet<string>;
  /** People who are not offered. */
  without?: ReadonlySet<string>;
  onToggle: (userId: string) => void;
}

const SEARCH_AFTER_MS = 250;

/** Choose among this user's contacts (without any: those the website suggests) and whomever the website finds. */
export function PeoplePicker({ chosen, without, onToggle }: Props) {
  const { directory } = useChat();
  const { contacts, suggested, failed } = useStore(directory.store);
  const [search, setSearch] = useState("");
  const wanted = search.trim().toLocaleLowerCase();
  const found = useFound(wanted);
  const familiar: readonly Choice[] = contacts?.length ? contacts : suggested;
  const listed = familiar.filter(
    ({ userId, displayName }) => displayName.toLocaleLowerCase().includes(wanted) || userId.toLowerCase().includes(wanted),
  );
  const known = new Set(familiar.map(({ userId }) => userId));
  const offered: readonly Choice[] = [...listed, ...found.filter(({ userId }) => !known.has(userId))];
  const shown = offered.filter(({ userId }) => !without?.has(userId));

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
          {wanted ? "Nobody of this name or id has signed in yet." : "Search for somebody by their name or user id."}
        </p>
      )}
    </div>
  );
}

type Choice = Person & { presence?: Presence };

/** Whom the website finds for these words, a moment after the last keystroke. */
function useFound(wanted: string): readonly Person[] {
  const { directory } = useChat();
  const [found, setFound] = useState<{ wanted: string; people: readonly Person[] }>({ wanted: "", people: [] });

  useEffect(() => {
    if (!wanted) return;
    let current = true;
    const timer = setTimeout(() => {
      directory
        .search(wanted)
        .then((people) => current && setFound({ wanted, people }))
        .catch(() => undefined);
    }, SEARCH_AFTER_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [directory, wanted]);

  return found.wanted === wanted ? found.people : [];
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

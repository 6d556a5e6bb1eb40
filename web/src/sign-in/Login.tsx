import { type SubmitEvent, useState } from "react";
import { useAsync } from "../common/useAsync.ts";
import { Mark } from "../controls/icons.tsx";
import { Avatar } from "../people/Avatar.tsx";
import { type DemoUser, demoUsers, signIn } from "./session.ts";

/** Stands in for the website's sign-in: choose a demo person, or type a name or an id. */
export function Login({ onPick }: { onPick: (userId: string) => void }) {
  const [attempt, setAttempt] = useState(0);
  const { value: users, error } = useAsync(String(attempt), demoUsers);

  return (
    <main className="login">
      <div className="login-card">
        <h1>
          <Mark size={40} /> Parley
        </h1>
        <p>Who are you today? Open a second window as somebody else, and talk.</p>
        {users && <PeopleGrid users={users} onPick={onPick} />}
        {!users && error === null && <p role="status">Loading people…</p>}
        {error !== null && (
          <p role="alert">
            The directory does not answer.{" "}
            <button className="link" onClick={() => setAttempt(attempt + 1)}>Try again</button>
          </p>
        )}
        <OtherUser users={users ?? []} onPick={onPick} />
      </div>
    </main>
  );
}

function PeopleGrid({ users, onPick }: { users: DemoUser[]; onPick: (userId: string) => void }) {
  return (
    <ul className="login-people">
      {users.map((user) => (
        <li key={user.userId}>
          <button onClick={() => onPick(user.userId)}>
            <Avatar person={user} />
            <span dir="auto">{user.displayName}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function OtherUser({ users, onPick }: { users: readonly DemoUser[]; onPick: (userId: string) => void }) {
  const [text, setText] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [failed, setFailed] = useState(false);

  async function submit(event: SubmitEvent) {
    event.preventDefault();
    if (!text.trim() || isBusy) return;
    setBusy(true);
    setFailed(false);
    try {
      onPick(await signIn(text, users));
    } catch {
      setFailed(true);
      setBusy(false);
    }
  }

  return (
    <form className="login-other" onSubmit={(event) => void submit(event)}>
      <label htmlFor="user-id">Or sign in by user id</label>
      <div className="field-row">
        <input
          id="user-id"
          value={text}
          onChange={(event) => setText(event.target.value)}
          maxLength={100}
          placeholder="Your name, or any id"
          aria-describedby="user-id-hint"
          autoComplete="off"
          autoCapitalize="none"
          dir="auto"
        />
        <button className="primary" type="submit" disabled={isBusy}>Sign in</button>
      </div>
      <p id="user-id-hint" className="hint">Whoever is new gets an account, and the others find you by this name.</p>
      {failed && <p role="alert">That did not work: the site does not answer. Try again.</p>}
    </form>
  );
}

import { type SubmitEvent, useEffect, useState } from "react";
import { type DemoUser, demoUsers } from "../chat/session.ts";
import { Avatar } from "./Avatar.tsx";
import { Mark } from "./icons.tsx";

/** Stands in for the website's sign-in: pick one of its demo people, or type an id. */
export function Login({ onPick }: { onPick: (userId: string) => void }) {
  const [users, setUsers] = useState<DemoUser[] | null>(null);
  const [failed, setFailed] = useState(false);
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    let current = true;
    demoUsers()
      .then((items) => current && setUsers(items))
      .catch(() => current && setFailed(true));
    return () => {
      current = false;
    };
  }, [attempt]);

  function tryAgain() {
    setFailed(false);
    setAttempt(attempt + 1);
  }

  return (
    <main className="login">
      <div className="login-card">
        <h1>
          <Mark size={40} /> Parley
        </h1>
        <p>Who are you today? Open a second window as somebody else, and talk.</p>
        {users && <PeopleGrid users={users} onPick={onPick} />}
        {!users && !failed && <p role="status">Loading people…</p>}
        {failed && (
          <p role="alert">
            The directory does not answer. <button className="link" onClick={tryAgain}>Try again</button>
          </p>
        )}
        <OtherUser onPick={onPick} />
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

function OtherUser({ onPick }: { onPick: (userId: string) => void }) {
  const [text, setText] = useState("");

  function submit(event: SubmitEvent) {
    event.preventDefault();
    if (text.trim()) onPick(text.trim());
  }

  return (
    <form className="login-other" onSubmit={submit}>
      <label htmlFor="user-id">Or sign in by user id</label>
      <div className="field-row">
        <input
          id="user-id"
          value={text}
          onChange={(event) => setText(event.target.value)}
          pattern="[A-Za-z0-9._:@\-]{1,128}"
          title="1 to 128 letters, digits or . _ : @ -"
          autoComplete="off"
          autoCapitalize="none"
        />
        <button className="primary" type="submit">Sign in</button>
      </div>
    </form>
  );
}

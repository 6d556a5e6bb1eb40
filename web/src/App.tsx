import { useEffect, useState } from "react";
import { ChatApp } from "./ChatApp.tsx";
import { ChatProvider } from "./connection/ChatProvider.tsx";
import { Login } from "./sign-in/Login.tsx";
import { rememberUser, rememberedUser } from "./sign-in/session.ts";

export function App() {
  const [userId, setUserId] = useState(rememberedUser);

  useEffect(() => rememberUser(userId), [userId]);

  if (userId === null) return <Login onPick={setUserId} />;
  return (
    <ChatProvider key={userId} userId={userId}>
      <ChatApp onSwitchUser={() => setUserId(null)} />
    </ChatProvider>
  );
}

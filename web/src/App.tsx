import { useEffect, useState } from "react";
import { ChatApp } from "./components/ChatApp.tsx";
import { Login } from "./components/Login.tsx";
import { ChatProvider } from "./chat/ChatProvider.tsx";
import { rememberUser, rememberedUser } from "./chat/session.ts";

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

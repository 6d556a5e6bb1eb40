import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App.tsx";
import { Broken, ErrorBoundary } from "./controls/ErrorBoundary.tsx";
import "./styles/index.css";

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <ErrorBoundary fallback={(retry) => <Broken what="The page" onRetry={retry} />}>
        <App />
      </ErrorBoundary>
    </StrictMode>,
  );
}

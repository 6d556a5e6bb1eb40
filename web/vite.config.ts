import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const stack = `http://127.0.0.1:${process.env.PORT ?? "7071"}`;

export default defineConfig({
  plugins: [react()],
  resolve: {
    alias: { "@parley/sdk": fileURLToPath(new URL("../sdk/src/index.ts", import.meta.url)) },
  },
  build: { target: "es2022", modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
  server: { host: "127.0.0.1", proxy: { "/api": stack, "/dev": stack } },
  test: { testTimeout: 30_000, environment: "jsdom", include: ["test/**/*.test.tsx", "test/**/*.test.ts"] },
});

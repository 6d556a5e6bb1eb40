import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  resolve: {
    alias: { "@parley/sdk": fileURLToPath(new URL("../../sdk/src/index.ts", import.meta.url)) },
  },
  test: {
    include: ["*.test.mjs"],
    globalSetup: "./stack.mjs",
    environment: "node",
    // One stack, one machine: files one after another, and what they wait for within two minutes.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});

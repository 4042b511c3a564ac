import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";
import { offline } from "./build/offline";
import { security } from "./build/security";
import { size } from "./build/size";

/** The rules: built by `cargo xtask wasm`, which is no part of this build. */
const rules = fileURLToPath(new URL("../wasm/dist/browser/fulmar.js", import.meta.url));

export default defineConfig({
  // Relative, so that the page runs from any folder of any host.
  base: "./",
  plugins: [svelte(), security(), offline(), size()],
  resolve: { alias: { "fulmar-browser": rules } },
  // The development server may hand out the package beside this folder.
  server: { fs: { allow: [".", "../wasm/dist"] } },
  worker: { format: "es" },
  build: {
    target: "es2022",
    // Nothing as `data:`: the content security policy is for what stands in files of our own.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: { page: "index.html", offline: "src/offline/service.ts" },
      output: {
        // A service worker is found again by its name; everything else is named after what it holds.
        entryFileNames: (chunk) => (chunk.name === "offline" ? "offline.js" : "assets/[name]-[hash].js"),
      },
    },
  },
  test: { include: ["src/**/*.test.ts"] },
});

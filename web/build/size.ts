/**
 * The bound on the first load: everything that is built, compressed as a server would. The build fails above it.
 */

import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

/** What the page may weigh, module included: some seconds on a slow line. */
const FIRST_LOAD_BYTES_MAX = 300_000;

export function size(): Plugin {
  return {
    name: "fulmar-size",
    apply: "build",
    enforce: "post",
    writeBundle(_, bundle) {
      const sizes = Object.values(bundle).map((file) => {
        const content = file.type === "chunk" ? file.code : file.source;
        return { name: file.fileName, bytes: gzipSync(content, { level: 9 }).length };
      });
      const sum = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
      const list = sizes.map(({ name, bytes }) => `  ${String(bytes).padStart(7)}  ${name}`).join("\n");
      console.log(`\nfirst load, gzipped: ${sum} of at most ${FIRST_LOAD_BYTES_MAX} bytes\n${list}`);
      if (sum > FIRST_LOAD_BYTES_MAX) {
        throw new Error(`the first load is ${sum} bytes gzipped: at most ${FIRST_LOAD_BYTES_MAX}`);
      }
    },
  };
}

/**
 * The list of what the service worker keeps.
 *
 * Written into the built `offline.js`: every file of the page, and a version made of all that is in them, so that a new build is
 * another version and the same build is not.
 */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

const SERVICE = "offline.js";

export function offline(): Plugin {
  let folder = "public";
  return {
    name: "fulmar-offline",
    apply: "build",
    enforce: "post",
    configResolved(config) {
      folder = config.publicDir;
    },
    generateBundle(_, bundle) {
      const hash = createHash("sha256");
      const files: string[] = [];
      const add = (name: string, content: string | Uint8Array) => {
        hash.update(name).update("\0").update(content);
        files.push(name);
      };
      for (const name of Object.keys(bundle).sort()) {
        const file = bundle[name];
        if (!file || name === SERVICE) continue;
        add(name, file.type === "chunk" ? file.code : file.source);
      }
      for (const name of readdirSync(folder).sort()) add(name, readFileSync(join(folder, name)));
      const service = bundle[SERVICE];
      if (service?.type !== "chunk") throw new Error(`the build has no ${SERVICE}`);
      const known = JSON.stringify({ version: hash.digest("hex").slice(0, 16), files });
      const code = service.code.replace("__KEPT__", () => known);
      if (code === service.code) throw new Error(`${SERVICE} has no place for the list of files`);
      service.code = code;
    },
  };
}

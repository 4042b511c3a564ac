/**
 * The content security policy while developing: the development server puts styles into the page and talks over a socket, both of
 * which the policy of the built page forbids. So it is taken out there, and only there.
 */

import type { Plugin } from "vite";

export function security(): Plugin {
  return {
    name: "fulmar-security",
    apply: "serve",
    transformIndexHtml: (html) => html.replace(/<meta\s+http-equiv="Content-Security-Policy"[^>]*>/, ""),
  };
}

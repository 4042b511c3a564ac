/** Where Alt and an arrow take a domain: out of its parent, into the one before it, or over to the parent beside its own. */

import type { Path } from "fulmar-browser";
import type { Domain, Outline } from "../plan/outline";

/** The domain that would be its parent; null where there is none in that direction. */
export function neighbour({ domains, at }: Outline, domain: Domain, key: string): Path | null {
  const parent = domain.parent === null ? undefined : domains[domain.parent];
  if (!parent) return null;
  const beside = (of: Domain, by: number): Domain | null => {
    const siblings = of.parent === null ? [] : (domains[of.parent]?.children ?? []);
    const index = siblings[siblings.indexOf(at.get(of.path) ?? -1) + by];
    return index === undefined ? null : (domains[index] ?? null);
  };
  switch (key) {
    case "ArrowLeft":
      return parent.parent === null ? null : (domains[parent.parent]?.path ?? null);
    case "ArrowRight":
      return beside(domain, -1)?.path ?? beside(domain, 1)?.path ?? null;
    case "ArrowUp":
      return beside(parent, -1)?.path ?? null;
    case "ArrowDown":
      return beside(parent, 1)?.path ?? null;
    default:
      return null;
  }
}

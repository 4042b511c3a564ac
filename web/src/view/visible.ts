/** The rows of the tree: its domains without those below a folded one. */

import type { Path } from "fulmar-browser";
import type { Domain, Outline } from "../plan/outline";

export function visible({ domains }: Outline, folded: ReadonlySet<Path>): readonly Domain[] {
  if (folded.size === 0) return domains;
  const rows: Domain[] = [];
  let hidden = Infinity;
  for (const domain of domains) {
    if (domain.depth > hidden) continue;
    hidden = folded.has(domain.path) ? domain.depth : Infinity;
    rows.push(domain);
  }
  return rows;
}

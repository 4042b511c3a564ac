/**
 * To whom a domain may have handed something on: the nearest domains below it for which a policy is wanted. Whether they have it, and
 * what all of them have together, the rules say.
 */

import type { Path } from "fulmar-browser";
import { isGone } from "../plan/outline";
import type { Domain, Outline } from "../plan/outline";

/** More than that are not told apart in one bar. */
export const DELEGATES_MAX = 60;

export function delegates({ domains }: Outline, domain: Domain): Path[] {
  const found: Path[] = [];
  const waiting = [...domain.children].reverse();
  while (found.length < DELEGATES_MAX) {
    const index = waiting.pop();
    if (index === undefined) break;
    const below = domains[index];
    if (!below) continue;
    if (below.policy && !isGone(below.policy)) found.push(below.path);
    else waiting.push(...[...below.children].reverse());
  }
  return found;
}

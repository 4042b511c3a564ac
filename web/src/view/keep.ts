/**
 * Where the plan is kept while it is edited: in the address, so that a reload loses nothing and the address can be sent; where it is
 * too large for one, in the tab's own storage. Nothing leaves the browser: a fragment is not sent to the host of the page.
 */

import { LINK_BYTES_MAX, writeLink } from "../formats/link";
import type { Plan } from "../plan/plan";

/** In a tab's storage, which has no person who copies it. Browsers keep some 5 million characters. */
const TAB_CHARACTERS_MAX = LINK_BYTES_MAX;
const KEY = "fulmar-plan";

export type Kept = "in the address" | "in this tab" | "nowhere";

export async function keep(plan: Plan): Promise<Kept> {
  const written = await writeLink(plan);
  if ("link" in written && address(written.link)) {
    forget();
    return "in the address";
  }
  address(location.pathname + location.search);
  const large = await writeLink(plan, TAB_CHARACTERS_MAX);
  if ("problem" in large) return "nowhere";
  try {
    sessionStorage.setItem(KEY, large.link);
    return "in this tab";
  } catch {
    // Full, or forbidden by the person.
    return "nowhere";
  }
}

/** Whether the address could be changed: some browsers refuse it where that happens too often. */
function address(url: string): boolean {
  try {
    history.replaceState(null, "", url);
    return true;
  } catch {
    return false;
  }
}

/** The plan that this tab keeps, as a fragment. */
export function kept(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function forget(): void {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // There is none then.
  }
}

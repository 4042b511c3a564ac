/**
 * The parts of a bar. Only draws: each figure is the rules', and what is left between them is what somebody above takes.
 */

import type { Amount, Path, Room } from "fulmar-browser";

export interface Bar {
  readonly limit: Amount;
  readonly used: Amount;
  readonly free: Amount;
  /** What is within the limit, not in use, and yet not free: a domain above leaves no more. */
  readonly taken: Amount;
  readonly bound_by: Path | null;
}

/** None where there is no limit at all, neither here nor above. */
export function bar(own: Amount | null, used: Amount, room: Room): Bar | null {
  const { free, bound_by } = room;
  if (own === null && bound_by === null) return null;
  const limit = own ?? used + free;
  return { limit, used, free, taken: Math.max(0, limit - used - free), bound_by };
}

/** The share of a whole, in percent, for the eye: something never looks like nothing, and less than all never like all. */
export function percent(part: Amount, whole: Amount): number {
  if (part <= 0) return 0;
  if (part >= whole) return 100;
  return Math.min(99, Math.max(1, (part / whole) * 100));
}

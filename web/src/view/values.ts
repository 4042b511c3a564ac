/**
 * Values as they are typed and shown in fields: what a new one begins with, what an arrow key makes of it.
 */

import type { Policy, Unikernel } from "fulmar-browser";

/** What a new domain is given: the same as the one above, as delegations begin; otherwise something small. */
export function first(above: Policy | null): Policy {
  return above ?? { unikernels: 1, memory_mib: 256, block_mib: null, cpuids: [0], bridges: [] };
}

/** What a new unikernel is: small, on the first CPU that is allowed. */
export function firstUnikernel(policy: Policy | null): Unikernel {
  const cpu = policy?.cpuids[0] ?? 0;
  const memory_mib = Math.max(1, Math.min(32, policy?.memory_mib ?? 32));
  return { memory_mib, cpuids: [cpu], block_devices: [], bridges: [] };
}

/** The end of a slider: what the one above has; where nobody bounds it, room to double. */
export function sliderEnd(value: number, above: number | null): number {
  if (above !== null) return Math.max(above, value);
  const end = 2 ** Math.ceil(Math.log2(Math.max(8, value * 2)));
  return Math.min(end, Number.MAX_SAFE_INTEGER);
}

/** How far an arrow key goes: a power of two near a sixteenth of the value, so that it reaches the round sizes. */
export function stride(value: number): number {
  return 2 ** Math.max(0, Math.floor(Math.log2(Math.max(1, value))) - 3);
}

/** The next value in that direction that is a multiple of the stride; within what can be counted. */
export function stepped(value: number, direction: 1 | -1, stride: number): number {
  const next =
    direction > 0 ? Math.floor(value / stride) * stride + stride : Math.ceil(value / stride) * stride - stride;
  return Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, next));
}

/** `3 unikernels`, `1 unikernel`. */
export function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}

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

/** The end of a slider: what the one above has; where nobody bounds it, room to double, and never less than what is usual. */
export function sliderEnd(value: number, above: number | null, least: number): number {
  if (above !== null) return Math.max(above, value);
  const end = 2 ** Math.ceil(Math.log2(Math.max(least, value * 2)));
  return Math.min(end, Number.MAX_SAFE_INTEGER);
}

/** The places of a slider's thumb. */
export const SLIDER_PLACES = 1000;

/** Up to here a slider is even. Above it the small values have more room: a host's memory is a thousand times a unikernel's. */
const EVEN_UP_TO = 64;

/** The value at a place of a slider that ends with `end`, round enough to be what somebody means. */
export function atPlace(place: number, end: number): number {
  if (place >= SLIDER_PLACES) return end;
  const share = place / SLIDER_PLACES;
  if (end <= EVEN_UP_TO) return Math.round(share * end);
  const value = Math.round(share ** 3 * end);
  const grain = stride(value);
  return Math.min(end, Math.round(value / grain) * grain);
}

/** Where the thumb stands for a value. */
export function placeOf(value: number, end: number): number {
  const share = end <= 0 ? 0 : Math.min(1, value / end);
  return Math.round((end <= EVEN_UP_TO ? share : Math.cbrt(share)) * SLIDER_PLACES);
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

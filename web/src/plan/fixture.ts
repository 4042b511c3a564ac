/** What the tests of plans say plans with. */

import type { Fact, Policy, Unikernel } from "fulmar-browser";
import type { Edited } from "./edit";
import { type Placed, type PlacedUnikernel, find, outline } from "./outline";
import { parentOf } from "./names";
import type { Base, Plan, Step } from "./plan";

export const POLICY: Policy = { unikernels: 2, memory_mib: 64, block_mib: null, cpuids: [0], bridges: [] };
export const UNIKERNEL: Unikernel = { memory_mib: 32, cpuids: [0], block_devices: [], bridges: [] };

export const policy = (domain: string): Step => ({ kind: "policy", domain, policy: POLICY });
export const unikernel = (name: string, count: number | null = null): Step => ({
  kind: "unikernel",
  name,
  count,
  unikernel: UNIKERNEL,
});
export const block = (name: string): Step => ({ kind: "block", name, size_mib: 8 });
export const without = (name: string): Step => ({ kind: "remove_unikernel", name });

export function plan(steps: readonly Step[], facts: readonly Fact[] = []): Plan {
  const base: Base | null = facts.length > 0 ? { title: "host", snapshot: new Uint8Array([1, 0]), facts } : null;
  return { base, steps };
}

export const FACTS: readonly Fact[] = [
  { policy: { domain: "alice", policy: POLICY } },
  { policy: { domain: "alice:bob", policy: POLICY } },
  { block: { name: "alice:bob:data", size_mib: 8 } },
  { unikernel: { name: "alice:bob:web", unikernel: UNIKERNEL } },
];

/** The plan that came out. */
export function edited(edit: Edited): Plan {
  if ("problem" in edit) throw new Error(edit.problem);
  return edit.plan;
}

/** Each step in a few words. */
export function told({ steps }: Plan): string[] {
  return steps.map((step) => {
    const name = "name" in step ? step.name : step.domain;
    const count = step.kind === "unikernel" && step.count !== null ? ` x${step.count}` : "";
    return `${step.kind} ${name}${count}`;
  });
}

/** The first unikernel of this name in the tree. */
export function placed(plan: Plan, name: string): PlacedUnikernel {
  const found = find(outline(plan), parentOf(name) ?? "")?.unikernels.find((placed) => placed.name === name);
  if (!found) throw new Error(`there is no ${name}`);
  return found;
}

/** The first block device of this name in the tree. */
export function placedBlock(plan: Plan, name: string): Placed<number> {
  const found = find(outline(plan), parentOf(name) ?? "")?.blocks.find((placed) => placed.name === name);
  if (!found) throw new Error(`there is no ${name}`);
  return found;
}

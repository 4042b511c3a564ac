/**
 * What a person does to a plan: each a function from a plan to another one, or to the reason why not.
 *
 * Owns how a wish about the tree becomes steps. What a step says is edited in that step; what the base says cannot be edited:
 * steps are appended that replace it. Limits are not looked at: a plan that the rules refuse is a plan.
 */

import type { Name, Path, Policy, Unikernel } from "fulmar-browser";
import { ROOT, freeName, labelOf, parentOf } from "./names";
import { find, isGone, outline, type Placed, type PlacedUnikernel } from "./outline";
import type { Base, Plan, Step, UnikernelStep } from "./plan";
import { type Edited, bounded, cut, inserted, problem, replaced, sameRemovals } from "./splice";

export type { Edited } from "./splice";
export { addDomain, duplicateDomain, removeDomain, renameDomain } from "./edit-domain";

/** Gives a domain a policy, in place of the one it has. */
export function setPolicy(plan: Plan, domain: Path, policy: Policy): Edited {
  const step: Step = { kind: "policy", domain, policy };
  const present = find(outline(plan), domain)?.policy;
  if (!present || isGone(present) || present.origin.from === "base") return inserted(plan, plan.steps.length, [step]);
  return replaced(plan, new Map([[present.origin.index, step]]));
}

/** Takes a domain's policy away: every step that gives it one, and the base's by a step of its own. */
export function removePolicy(plan: Plan, domain: Path): Edited {
  const present = find(outline(plan), domain)?.policy;
  if (!present || isGone(present)) return problem(`\`${domain}\` has no policy to remove`);
  const since = plan.steps.findLastIndex((step) => step.kind === "remove_policy" && step.domain === domain);
  const given = plan.steps.flatMap((step, index) =>
    step.kind === "policy" && step.domain === domain && index > since ? [index] : [],
  );
  const isInBase = since < 0 && plan.base?.facts.some((fact) => "policy" in fact && fact.policy.domain === domain);
  return cut(plan, given, isInBase ? [{ kind: "remove_policy", domain }] : []);
}

/** Adds a unikernel, or with a count that many. */
export function addUnikernel(plan: Plan, name: Name, unikernel: Unikernel, count: number | null): Edited {
  const step: UnikernelStep = { kind: "unikernel", name, count, unikernel };
  return clash(plan, step, null) ?? inserted(plan, plan.steps.length, [step]);
}

/** Changes a unikernel, or all of a count; the count, too. */
export function setUnikernel(plan: Plan, placed: PlacedUnikernel, unikernel: Unikernel, count: number | null): Edited {
  const { name, origin } = placed;
  const step: UnikernelStep = { kind: "unikernel", name, count, unikernel };
  const wrong = fixed(placed) ?? clash(plan, step, placed);
  if (wrong) return wrong;
  if (origin.from === "step") return sameRemovals(plan, replaced(plan, new Map([[origin.index, step]])));
  return inserted(plan, plan.steps.length, [{ kind: "remove_unikernel", name }, step]);
}

/** Calls a unikernel otherwise, or moves it to another domain; what removes it later follows. */
export function renameUnikernel(plan: Plan, placed: PlacedUnikernel, to: Name): Edited {
  const { name, origin, count, value } = placed;
  if (to === name) return { plan };
  const step: UnikernelStep = { kind: "unikernel", name: to, count, unikernel: value };
  const wrong = fixed(placed) ?? clash(plan, step, placed);
  if (wrong) return wrong;
  if (origin.from === "base") return inserted(plan, plan.steps.length, [{ kind: "remove_unikernel", name }, step]);
  const changes = new Map<number, Step>([[origin.index, step]]);
  for (const removal of placed.removed)
    changes.set(removal.by, { kind: "remove_unikernel", name: to + removal.name.slice(name.length) });
  return sameRemovals(plan, replaced(plan, changes));
}

/** Puts another one like it right behind it, under a name that is free. */
export function duplicateUnikernel(plan: Plan, placed: PlacedUnikernel): Edited {
  const { count, value: unikernel } = placed;
  const of = (name: Name): UnikernelStep => ({ kind: "unikernel", name, count, unikernel });
  const name = freeName(placed.name, (name) => clash(plan, of(name), null) !== null);
  return inserted(plan, behind(plan, placed), [of(name)]);
}

/** Takes a unikernel out, or all of a count, with what removes it later. */
export function removeUnikernel(plan: Plan, placed: PlacedUnikernel): Edited {
  if (placed.origin.from === "base")
    return fixed(placed) ?? inserted(plan, plan.steps.length, [{ kind: "remove_unikernel", name: placed.name }]);
  return cut(plan, [placed.origin.index, ...placed.removed.map((removal) => removal.by)], []);
}

/** Adds a block device. */
export function addBlock(plan: Plan, name: Name, size_mib: number): Edited {
  return taken(plan, name, null) ?? inserted(plan, plan.steps.length, [{ kind: "block", name, size_mib }]);
}

/** Changes a block device's size. */
export function setBlock(plan: Plan, placed: Placed<number>, size_mib: number): Edited {
  const { name, origin } = placed;
  const step: Step = { kind: "block", name, size_mib };
  if (origin.from === "step") return replaced(plan, new Map([[origin.index, step]]));
  return fixed(placed) ?? inserted(plan, plan.steps.length, [{ kind: "remove_block", name }, step]);
}

/** Calls a block device otherwise, or moves it to another domain. Steps with unikernels of its domain that use it follow. */
export function renameBlock(plan: Plan, placed: Placed<number>, to: Name): Edited {
  const { name, origin, value: size_mib } = placed;
  if (to === name) return { plan };
  const wrong = fixed(placed) ?? taken(plan, to, placed);
  if (wrong) return wrong;
  const step: Step = { kind: "block", name: to, size_mib };
  if (origin.from === "base") return inserted(plan, plan.steps.length, [{ kind: "remove_block", name }, step]);
  const changes = new Map<number, Step>([[origin.index, step]]);
  for (const removal of placed.removed) changes.set(removal.by, { kind: "remove_block", name: to });
  if (parentOf(to) === parentOf(name))
    for (const [index, step] of plan.steps.entries()) {
      const using = attached(step, name, to);
      if (using) changes.set(index, using);
    }
  return sameRemovals(plan, replaced(plan, changes));
}

/** Puts another one like it right behind it, under a name that is free. */
export function duplicateBlock(plan: Plan, placed: Placed<number>): Edited {
  const name = freeName(placed.name, (name) => taken(plan, name, null) !== null);
  return inserted(plan, behind(plan, placed), [{ kind: "block", name, size_mib: placed.value }]);
}

/** Takes a block device out, with what removes it later. */
export function removeBlock(plan: Plan, placed: Placed<number>): Edited {
  if (placed.origin.from === "base")
    return fixed(placed) ?? inserted(plan, plan.steps.length, [{ kind: "remove_block", name: placed.name }]);
  return cut(plan, [placed.origin.index, ...placed.removed.map((removal) => removal.by)], []);
}

/** Tries a step earlier or later: it comes to have the index `to`. */
export function moveStep(plan: Plan, from: number, to: number): Edited {
  const steps = [...plan.steps];
  const [step] = steps.splice(from, 1);
  if (!step || to < 0 || to > steps.length) return problem("there is no such place in the plan");
  steps.splice(to, 0, step);
  return { plan: { ...plan, steps } };
}

/** Takes a step out; those that were about it stay, and are refused or not. */
export function removeStep(plan: Plan, index: number): Edited {
  return cut(plan, [index], []);
}

/** Tries the same steps on something else. */
export function setBase(plan: Plan, base: Base | null): Edited {
  return bounded({ ...plan, base });
}

/** What the base says and a step takes away cannot be changed any more. */
function fixed({ name, origin, removed }: Placed<unknown>): Edited | null {
  const [removal] = removed;
  if (!removal || origin.from === "step") return null;
  return problem(`step ${removal.by + 1} removes \`${name}\`: take that step out first`);
}

/** Where something that is like it belongs. */
function behind(plan: Plan, placed: Placed<unknown>): number {
  return placed.origin.from === "step" ? placed.origin.index + 1 : plan.steps.length;
}

/** In the words of the rules, which would say it as a refusal. */
function clash(plan: Plan, step: UnikernelStep, itself: PlacedUnikernel | null): Edited | null {
  const others = find(outline(plan), parentOf(step.name) ?? ROOT)?.unikernels ?? [];
  for (const other of others) {
    if (isSame(other, itself)) continue;
    const name = common(step, other);
    if (name !== null) return problem(`there is a unikernel \`${name}\` already`);
  }
  return null;
}

/** A name that both have in the end. */
function common(step: UnikernelStep, other: PlacedUnikernel): Name | null {
  const isLeft = (name: Name) => !other.removed.some((removal) => removal.name === name);
  if (step.count === null) return has(other, step.name) && isLeft(step.name) ? step.name : null;
  if (other.count === null) return has(step, other.name) && isLeft(other.name) ? other.name : null;
  if (step.name !== other.name) return null;
  for (let number = 1; number <= Math.min(step.count, other.count); number += 1)
    if (isLeft(`${step.name}-${number}`)) return `${step.name}-${number}`;
  return null;
}

/** Whether it creates a unikernel of this name. */
function has(step: { name: Name; count: number | null }, name: Name): boolean {
  if (step.count === null) return step.name === name;
  const number = name.startsWith(`${step.name}-`) ? name.slice(step.name.length + 1) : "";
  return /^[1-9]\d*$/.test(number) && Number(number) <= step.count;
}

function taken(plan: Plan, name: Name, itself: Placed<number> | null): Edited | null {
  const others = find(outline(plan), parentOf(name) ?? ROOT)?.blocks ?? [];
  const isTaken = others.some((block) => block.name === name && !isGone(block) && !isSame(block, itself));
  return isTaken ? problem(`there is a block device \`${name}\` already`) : null;
}

/** The tree is drawn anew for each plan: what it says comes from the same place. */
function isSame(left: Placed<unknown>, right: Placed<unknown> | null): boolean {
  if (!right) return false;
  if (left.origin.from === "step") return right.origin.from === "step" && left.origin.index === right.origin.index;
  return right.origin.from === "base" && left.name === right.name;
}

/** The step with a block device of another name behind its unikernel; null where it does not use it. */
function attached(step: Step, from: Name, to: Name): Step | null {
  if (step.kind !== "unikernel" || parentOf(step.name) !== parentOf(from)) return null;
  const devices = step.unikernel.block_devices;
  if (!devices.some((device) => device.host === labelOf(from))) return null;
  const block_devices = devices.map((device) =>
    device.host === labelOf(from) ? { ...device, host: labelOf(to) } : device,
  );
  return { ...step, unikernel: { ...step.unikernel, block_devices } };
}

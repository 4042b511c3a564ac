/**
 * What a person does to a domain and everything below it.
 *
 * Owns that it all stays together. As with single things: what steps say is edited in them, what the base says is removed and
 * created anew by steps at the end: from the leaves up, and from the top down, as the rules want it.
 */

import type { Path, Policy } from "fulmar-browser";
import { ROOT, freeName, isWithin, moved, parentOf } from "./names";
import { type Domain, type Placed, find, isGone, isLiving, outline } from "./outline";
import type { Plan, Step } from "./plan";
import { type Edited, cut, inserted, isAbout, problem, replaced, sameRemovals } from "./splice";

/** Adds a domain: it is there by its policy. */
export function addDomain(plan: Plan, domain: Path, policy: Policy): Edited {
  if (subtree(plan, domain).some(isLiving)) return problem(`there is a domain \`${domain}\` already`);
  return inserted(plan, plan.steps.length, [{ kind: "policy", domain, policy }]);
}

/** Calls a domain otherwise, or moves it below another one, with everything below it. */
export function renameDomain(plan: Plan, from: Path, to: Path): Edited {
  if (from === to) return { plan };
  const wrong = cannotBe(plan, from, to);
  if (wrong) return wrong;
  const { targets } = outline(plan);
  const changes = new Map<number, Step>();
  for (const [index, step] of plan.steps.entries())
    if (isAbout(step, from) && targets[index]?.origin.from !== "base") changes.set(index, elsewhere(step, from, to));
  const renamed = sameRemovals(plan, replaced(plan, changes));
  if ("problem" in renamed) return renamed;
  const domains = subtree(plan, from);
  const copied = domains.flatMap((domain) => additions(domain, (placed) => placed.origin.from === "base"));
  const created = inOrder(copied).map((step) => elsewhere(step, from, to));
  return inserted(renamed.plan, plan.steps.length, [...removals(plan, from), ...created]);
}

/** Adds a domain that is like it, with everything below it: of this name, or of one that is free. */
export function duplicateDomain(plan: Plan, from: Path, name: Path | null): Edited {
  const to = name ?? (from === ROOT ? ROOT : freeName(from, (name) => find(outline(plan), name) !== null));
  const wrong = cannotBe(plan, from, to);
  if (wrong) return wrong;
  const copied = subtree(plan, from).flatMap((domain) => additions(domain, () => true));
  return inserted(
    plan,
    plan.steps.length,
    inOrder(copied).map((step) => elsewhere(step, from, to)),
  );
}

/** Takes a domain out, with everything below it. */
export function removeDomain(plan: Plan, domain: Path): Edited {
  const { targets } = outline(plan);
  const out = plan.steps.flatMap((step, index) =>
    isAbout(step, domain) && targets[index]?.origin.from !== "base" ? [index] : [],
  );
  return cut(plan, out, removals(plan, domain));
}

function cannotBe(plan: Plan, from: Path, to: Path): Edited | null {
  if (from === ROOT) return problem("the root holds all domains: it is neither moved nor copied");
  if (isWithin(to, from)) return problem(`\`${from}\` cannot be moved or copied below itself`);
  const present = subtree(plan, to);
  if (present.some(isLiving)) return problem(`there is a domain \`${to}\` already`);
  if (present.length > 0) return problem(`steps of the plan are still about \`${to}\`: take them out first`);
  return null;
}

/** A domain and all those below it, each right before those below it. */
function subtree(plan: Plan, domain: Path): readonly Domain[] {
  const { domains, at } = outline(plan);
  const first = at.get(domain);
  if (first === undefined) return [];
  const end = domains.findIndex((other, index) => index > first && !isWithin(other.path, domain));
  return domains.slice(first, end < 0 ? undefined : end);
}

/** The steps that create what is left in a domain in the end, of what is chosen. */
function additions(domain: Domain, isChosen: (placed: Placed<unknown>) => boolean): Step[] {
  const isWanted = (placed: Placed<unknown>) => !isGone(placed) && isChosen(placed);
  const policies = domain.policy ? [domain.policy] : [];
  return [
    ...policies.filter(isWanted).map(({ value: policy }): Step => ({ kind: "policy", domain: domain.path, policy })),
    ...domain.blocks.filter(isWanted).map(({ name, value: size_mib }): Step => ({ kind: "block", name, size_mib })),
    ...domain.unikernels
      .filter(isWanted)
      .map(({ name, count, value: unikernel }): Step => ({ kind: "unikernel", name, count, unikernel })),
  ];
}

/** A policy before what it allows, a block device before who uses it. */
function inOrder(steps: readonly Step[]): Step[] {
  const kinds = ["policy", "block", "unikernel"];
  return kinds.flatMap((kind) => steps.filter((step) => step.kind === kind));
}

/** The steps that take away what the base says of a domain and those below it, and no step takes away yet. */
function removals(plan: Plan, domain: Path): Step[] {
  const { targets } = outline(plan);
  const removed = new Set<string>();
  for (const [index, step] of plan.steps.entries())
    if (targets[index]?.origin.from === "base") removed.add(`${step.kind} ${"name" in step ? step.name : step.domain}`);
  const steps: Step[] = [];
  for (const fact of plan.base?.facts ?? []) {
    if ("policy" in fact) steps.push({ kind: "remove_policy", domain: fact.policy.domain });
    else if ("block" in fact) steps.push({ kind: "remove_block", name: fact.block.name });
    else steps.push({ kind: "remove_unikernel", name: fact.unikernel.name });
  }
  const kinds = ["remove_unikernel", "remove_block", "remove_policy"];
  const wanted = steps.filter(
    (step) => isAbout(step, domain) && !removed.has(`${step.kind} ${"name" in step ? step.name : step.domain}`),
  );
  // The base's policies come from the top down.
  return kinds.flatMap((kind) => wanted.filter((step) => step.kind === kind).reverse());
}

/** The step, about what is at the same place below `to`. */
function elsewhere(step: Step, from: Path, to: Path): Step {
  if ("domain" in step) return { ...step, domain: moved(step.domain, from, to) };
  const domain = parentOf(step.name) ?? ROOT;
  return { ...step, name: moved(step.name, domain, moved(domain, from, to)) };
}

/**
 * Steps put in, replaced and taken out: what every edit comes to.
 *
 * Owns that a plan stays one that can be asked about: no name too long, not too many steps, and no removal that comes to hit
 * something else because of an edit that was not about it.
 */

import { LABEL_BYTES_MAX, PATH_BYTES_MAX, ROOT, isWithin, labelOf, parentOf } from "./names";
import { outline, type Placed } from "./outline";
import { COUNT_MAX, STEPS_MAX, type Plan, type Step } from "./plan";
import { counted, numbered } from "./steps";

/** Another plan, or in plain words why there is none. */
export type Edited = { readonly plan: Plan } | { readonly problem: string };

export function problem(sentence: string): Edited {
  return { problem: sentence };
}

/** With steps put in before the one that has this index. */
export function inserted(plan: Plan, index: number, steps: readonly Step[]): Edited {
  const wrong = steps.map(tooLong).find((sentence) => sentence !== null);
  if (wrong) return problem(wrong);
  return bounded({ ...plan, steps: [...plan.steps.slice(0, index), ...steps, ...plan.steps.slice(index)] });
}

/** With other steps in place of those that have these indices. */
export function replaced(plan: Plan, changes: ReadonlyMap<number, Step>): Edited {
  for (const step of changes.values()) {
    const wrong = tooLong(step);
    if (wrong) return problem(wrong);
  }
  return bounded({ ...plan, steps: plan.steps.map((step, index) => changes.get(index) ?? step) });
}

/** Without the steps that have these indices, and with others at the end. */
export function cut(plan: Plan, indices: Iterable<number>, appended: readonly Step[]): Edited {
  const out = new Set(indices);
  const steps = plan.steps.filter((_, index) => !out.has(index));
  return bounded({ ...plan, steps: [...steps, ...appended] });
}

/** A plan that is not too large to be tried. */
export function bounded(plan: Plan): Edited {
  const large = plan.steps.find((step) => step.kind === "unikernel" && (step.count ?? 1) > COUNT_MAX);
  if (large?.kind === "unikernel") return problem(`${large.count} are too many for one step: at most ${COUNT_MAX}`);
  if (counted(plan) > STEPS_MAX)
    return problem(`the plan has more than ${STEPS_MAX} steps, each unikernel of a \`count\` counted`);
  return { plan };
}

/** The edit, where the steps that were there before remove what they removed before. */
export function sameRemovals(before: Plan, edited: Edited): Edited {
  if ("problem" in edited) return edited;
  const [olds, news] = [outline(before).targets, outline(edited.plan).targets];
  const index = olds.findIndex((old, index) => !isSameThing(old, news[index] ?? null));
  if (index < 0) return edited;
  const step = edited.plan.steps[index];
  const name = step && "name" in step ? step.name : step?.domain;
  return problem(`step ${index + 1} removes \`${name}\`: take that step out first`);
}

function isSameThing(left: Placed<unknown> | null, right: Placed<unknown> | null): boolean {
  if (!left || !right) return left === right;
  const [one, other] = [left.origin, right.origin];
  if (one.from === "step") return other.from === "step" && one.index === other.index;
  return other.from === "base" && left.name === right.name;
}

/** What the rules would say of a step whose name grew by an edit further up. */
function tooLong(step: Step): string | null {
  const domain = "domain" in step ? step.domain : (parentOf(step.name) ?? ROOT);
  if (domain.length > PATH_BYTES_MAX)
    return `the path \`${domain}\` is ${domain.length} bytes long: at most ${PATH_BYTES_MAX}`;
  if (!("name" in step)) return null;
  const counted = step.kind === "unikernel" && step.count !== null;
  const label = labelOf(counted ? numbered(step.name, step.count ?? 1) : step.name);
  if (label.length <= LABEL_BYTES_MAX) return null;
  return `the label \`${label}\` is ${label.length} bytes long: at most ${LABEL_BYTES_MAX}`;
}

/** Whether a step is about something in `domain` or below it. */
export function isAbout(step: Step, domain: string): boolean {
  return isWithin("domain" in step ? step.domain : (parentOf(step.name) ?? ROOT), domain);
}

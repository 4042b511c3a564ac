/**
 * The steps of a plan as the rules try them.
 *
 * Owns that a step with a count stands for many, and which of them belong to which step.
 */

import type { Name, Step as Request } from "fulmar-browser";
import type { Plan, Step, UnikernelStep } from "./plan";

/** What the rules are asked to try for a step, at least one thing. */
export function requests(step: Step): Request[] {
  switch (step.kind) {
    case "policy":
      return [{ insert_policy: { domain: step.domain, policy: step.policy } }];
    case "unikernel":
      return names(step).map((name) => ({ insert_unikernel: { name, unikernel: step.unikernel } }));
    case "block":
      return [{ insert_block: { name: step.name, size_mib: step.size_mib } }];
    case "remove_policy":
      return [{ remove_policy: { domain: step.domain } }];
    case "remove_unikernel":
      return [{ remove_unikernel: { name: step.name } }];
    case "remove_block":
      return [{ remove_block: { name: step.name } }];
  }
}

/** The names of the unikernels that a step creates: `alice:web` and 2 make `alice:web-1` and `alice:web-2`. */
export function names(step: UnikernelStep): Name[] {
  if (step.count === null) return [step.name];
  return Array.from({ length: step.count }, (_, nth) => numbered(step.name, nth + 1));
}

/** What the unikernel with this number of a count is called. */
export function numbered(name: Name, number: number): Name {
  return `${name}-${number}`;
}

/** How many things a step asks the rules for. */
export function weight(step: Step): number {
  return step.kind === "unikernel" ? (step.count ?? 1) : 1;
}

/** How many things a plan asks the rules for: bounded by `STEPS_MAX`. */
export function counted(plan: Plan): number {
  return plan.steps.reduce((sum, step) => sum + weight(step), 0);
}

/** All that the rules are asked to try, in order, and for each the index of the plan's step that it is of. */
export function protocolSteps(plan: Plan): { steps: Request[]; owners: number[] } {
  const steps: Request[] = [];
  const owners: number[] = [];
  for (const [index, step] of plan.steps.entries()) {
    for (const request of requests(step)) {
      steps.push(request);
      owners.push(index);
    }
  }
  return { steps, owners };
}

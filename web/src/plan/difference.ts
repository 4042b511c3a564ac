/**
 * What would have to change: the facts before and after, beside each other.
 *
 * Owns which facts are about the same thing, and in which order they are told: domain by domain as the tree shows them, in each
 * its policy, its block devices, its unikernels. The facts are the rules' answers.
 */

import type { Fact, Name, Path } from "fulmar-browser";
import { ROOT, comparePaths, compareTexts, labelOf, parentOf } from "./names";

export interface Change {
  readonly before: Fact;
  readonly after: Fact;
}

export interface Difference {
  readonly added: readonly Fact[];
  readonly removed: readonly Fact[];
  /** In both under the same name, but not the same. */
  readonly changed: readonly Change[];
}

/** What is a fact about? */
export function subject(fact: Fact): { kind: "policy" | "block" | "unikernel"; name: Name | Path } {
  if ("policy" in fact) return { kind: "policy", name: fact.policy.domain };
  if ("block" in fact) return { kind: "block", name: fact.block.name };
  return { kind: "unikernel", name: fact.unikernel.name };
}

/** What has to change for `before` to become `after`. */
export function difference(before: readonly Fact[], after: readonly Fact[]): Difference {
  const [olds, news] = [keyed(before), keyed(after)];
  const changed: Change[] = [];
  for (const [key, old] of olds) {
    const now = news.get(key);
    // Facts are the rules' answers: equal ones are written the same.
    if (now && JSON.stringify(now) !== JSON.stringify(old)) changed.push({ before: old, after: now });
  }
  return {
    added: [...news]
      .filter(([key]) => !olds.has(key))
      .map(([, fact]) => fact)
      .sort(compareFacts),
    removed: [...olds]
      .filter(([key]) => !news.has(key))
      .map(([, fact]) => fact)
      .sort(compareFacts),
    changed: changed.sort((left, right) => compareFacts(left.after, right.after)),
  };
}

/** Whether nothing has to change. */
export function isEmpty({ added, removed, changed }: Difference): boolean {
  return added.length + removed.length + changed.length === 0;
}

function keyed(facts: readonly Fact[]): Map<string, Fact> {
  return new Map(
    facts.map((fact) => {
      const { kind, name } = subject(fact);
      return [`${kind} ${name}`, fact];
    }),
  );
}

const KINDS = ["policy", "block", "unikernel"];

function compareFacts(left: Fact, right: Fact): number {
  const [one, other] = [subject(left), subject(right)];
  const byDomain = comparePaths(domainOf(one), domainOf(other));
  if (byDomain !== 0) return byDomain;
  const byKind = KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind);
  return byKind !== 0 ? byKind : compareTexts(labelOf(one.name), labelOf(other.name));
}

function domainOf({ kind, name }: ReturnType<typeof subject>): Path {
  return kind === "policy" ? name : (parentOf(name) ?? ROOT);
}

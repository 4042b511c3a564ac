/**
 * The tree of a plan: base and steps together, as they are wanted.
 *
 * Owns what stands where, and what a later step takes away. Knows no verdict: what the rules refuse is wanted as well, and
 * stays in the tree with its reasons beside it. Linear in the steps and the facts.
 */

import type { Label, Name, Path, Policy, Unikernel } from "fulmar-browser";
import { ROOT, compareTexts, labelOf, parentOf } from "./names";
import type { Base, Plan, Step } from "./plan";

/** Where something in the tree is said. */
export type Origin = { readonly from: "base" } | { readonly from: "step"; readonly index: number };

/** What a later step takes away: the thing itself, or one of a count. */
export interface Removal {
  readonly name: Name | Path;
  /** The step's index. */
  readonly by: number;
}

/** A policy, a unikernel or a block device, and where it is said. The name of a policy is its domain. */
export interface Placed<T> {
  readonly name: Name | Path;
  readonly value: T;
  readonly origin: Origin;
  /** Nothing, for what is there in the end. */
  readonly removed: readonly Removal[];
}

/** With a count it is that many in one row, named NAME-1 and so on. */
export interface PlacedUnikernel extends Placed<Unikernel> {
  readonly count: number | null;
}

/** One domain, with what is right in it. */
export interface Domain {
  readonly path: Path;
  /** Empty for the root. */
  readonly label: Label;
  /** 0 for the root. */
  readonly depth: number;
  /** Indices into `Outline.domains`. */
  readonly parent: number | null;
  readonly children: readonly number[];
  /** The last one given; it may be gone. */
  readonly policy: Placed<Policy> | null;
  readonly unikernels: readonly PlacedUnikernel[];
  /** Their sizes, in MiB. */
  readonly blocks: readonly Placed<number>[];
}

/** The tree, and what the removing steps hit. */
export interface Outline {
  /** Every domain that anything is said of, and those above; each right before those below it, by label. */
  readonly domains: readonly Domain[];
  /** Where a domain is in `domains`. */
  readonly at: ReadonlyMap<Path, number>;
  /** For each step: what it takes away; null where that is nothing, or it adds. */
  readonly targets: readonly (Placed<unknown> | null)[];
}

/** Whether nothing of it is left in the end. */
export function isGone(placed: Placed<unknown> | PlacedUnikernel): boolean {
  return placed.removed.length >= ("count" in placed ? (placed.count ?? 1) : 1);
}

/** The domain of that path, where there is one. */
export function find(outline: Outline, path: Path): Domain | null {
  const index = outline.at.get(path);
  return index === undefined ? null : (outline.domains[index] ?? null);
}

/** Whether anything in the domain itself is left in the end. */
export function isLiving(domain: Domain): boolean {
  const placed = [domain.policy ?? [], domain.unikernels, domain.blocks].flat();
  return placed.some((thing) => !isGone(thing));
}

// The view and every edit ask for the same one.
const outlines = new WeakMap<Plan, Outline>();

/** The tree of a plan. */
export function outline(plan: Plan): Outline {
  const known = outlines.get(plan);
  if (known) return known;
  const drawn = draw(plan);
  outlines.set(plan, drawn);
  return drawn;
}

function draw(plan: Plan): Outline {
  const sketch = new Sketch();
  if (plan.base) sketch.addBase(plan.base);
  const targets = plan.steps.map((step, index) => sketch.addStep(step, index));
  return { ...arranged(sketch.domains), targets };
}

type Growing<T extends Placed<unknown>> = T & { readonly removed: Removal[] };

interface Drafted {
  policy: Growing<Placed<Policy>> | null;
  readonly unikernels: Growing<PlacedUnikernel>[];
  readonly blocks: Growing<Placed<number>>[];
  readonly children: Path[];
}

/** The tree as it grows, step by step. */
class Sketch {
  readonly domains = new Map<Path, Drafted>();
  private readonly unikernels = new Map<Name, Growing<PlacedUnikernel>[]>();
  private readonly blocks = new Map<Name, Growing<Placed<number>>[]>();

  constructor() {
    this.domain(ROOT);
  }

  addBase(base: Base): void {
    const origin: Origin = { from: "base" };
    for (const fact of base.facts) {
      if ("policy" in fact) this.addPolicy(fact.policy.domain, fact.policy.policy, origin);
      else if ("block" in fact) this.addBlock(fact.block.name, fact.block.size_mib, origin);
      else this.addUnikernel(fact.unikernel.name, fact.unikernel.unikernel, null, origin);
    }
  }

  addStep(step: Step, index: number): Placed<unknown> | null {
    const origin: Origin = { from: "step", index };
    switch (step.kind) {
      case "policy":
        this.addPolicy(step.domain, step.policy, origin);
        return null;
      case "unikernel":
        this.addUnikernel(step.name, step.unikernel, step.count, origin);
        return null;
      case "block":
        this.addBlock(step.name, step.size_mib, origin);
        return null;
      case "remove_policy": {
        const policy = this.domain(step.domain).policy;
        return policy && isGone(policy) ? null : removed(policy, step.domain, index);
      }
      case "remove_unikernel":
        return removed(this.living(step.name), step.name, index);
      case "remove_block": {
        const first = this.blocks.get(step.name)?.find((block) => !isGone(block));
        return removed(first ?? null, step.name, index);
      }
    }
  }

  private addPolicy(domain: Path, policy: Policy, origin: Origin): void {
    this.domain(domain).policy = { name: domain, value: policy, origin, removed: [] };
  }

  private addUnikernel(name: Name, unikernel: Unikernel, count: number | null, origin: Origin): void {
    const placed = { name, value: unikernel, count, origin, removed: [] };
    this.domain(parentOf(name) ?? ROOT).unikernels.push(placed);
    push(this.unikernels, name, placed);
  }

  private addBlock(name: Name, size_mib: number, origin: Origin): void {
    const placed = { name, value: size_mib, origin, removed: [] };
    this.domain(parentOf(name) ?? ROOT).blocks.push(placed);
    push(this.blocks, name, placed);
  }

  /**
   * The first unikernel of this name that no step took away yet; it may be one of a count. Of two that are wanted under one
   * name the first one exists, and the rules refuse the other.
   */
  private living(name: Name): Growing<PlacedUnikernel> | null {
    const exact = this.unikernels.get(name)?.find((placed) => placed.count === null && !isGone(placed));
    const number = /-([1-9]\d*)$/.exec(name);
    const counted = this.unikernels.get(number ? name.slice(0, number.index) : "")?.find((placed) => {
      const isOne = placed.count !== null && Number(number?.[1]) <= placed.count;
      return isOne && !placed.removed.some((removal) => removal.name === name);
    });
    if (!exact || !counted) return exact ?? counted ?? null;
    return position(exact) < position(counted) ? exact : counted;
  }

  private domain(path: Path): Drafted {
    const known = this.domains.get(path);
    if (known) return known;
    const domain: Drafted = { policy: null, unikernels: [], blocks: [], children: [] };
    this.domains.set(path, domain);
    const parent = parentOf(path);
    if (parent !== null) this.domain(parent).children.push(path);
    return domain;
  }
}

/** Notes that a step takes it away, and hands it back. */
function removed<T extends Placed<unknown>>(placed: Growing<T> | null, name: Name | Path, by: number): T | null {
  placed?.removed.push({ name, by });
  return placed;
}

function position(placed: Placed<unknown>): number {
  return placed.origin.from === "base" ? -1 : placed.origin.index;
}

function push<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

/** The domains in their order. A loop and no recursion: the depth of a plan is bounded by the rules only. */
function arranged(drafted: ReadonlyMap<Path, Drafted>): Pick<Outline, "domains" | "at"> {
  const domains: (Domain & { readonly children: number[] })[] = [];
  const at = new Map<Path, number>();
  const waiting: { path: Path; parent: number | null; depth: number }[] = [{ path: ROOT, parent: null, depth: 0 }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { path, parent, depth } = next;
    const draft = drafted.get(path);
    if (!draft) continue;
    const index = domains.length;
    const { policy, unikernels, blocks } = draft;
    const label = path === ROOT ? "" : labelOf(path);
    domains.push({ path, label, depth, parent, children: [], policy, unikernels, blocks });
    at.set(path, index);
    if (parent !== null) domains[parent]?.children.push(index);
    // Of siblings the paths are ordered as the labels are; the last one waits longest.
    draft.children.sort(compareTexts);
    for (let child = draft.children.length - 1; child >= 0; child -= 1)
      waiting.push({ path: draft.children[child] ?? ROOT, parent: index, depth: depth + 1 });
  }
  return { domains, at };
}

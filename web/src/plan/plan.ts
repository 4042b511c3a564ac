/**
 * The document: an ordered list of steps on a base, as in a plan file.
 *
 * Owns its shape and its bounds, which are the host's (`host/src/cli/preview/plan.rs`). What the tree then looks like is
 * `outline.ts`'s, and what of it is allowed is the rules': nothing here knows a verdict.
 */

import type { Fact, Name, Path, Policy, Unikernel } from "fulmar-browser";

/** A host's state to start from: what `fulmar snapshot` wrote. */
export interface Base {
  /** What a person calls it: usually the file's name. */
  readonly title: string;
  /** The bytes as they were read: the rules restore them. */
  readonly snapshot: Uint8Array;
  /** What they say, in the order of the snapshot. */
  readonly facts: readonly Fact[];
}

/** One `[[step]]` of a plan file. Names and values are as the rules write them. */
export type Step =
  | { readonly kind: "policy"; readonly domain: Path; readonly policy: Policy }
  | UnikernelStep
  | { readonly kind: "block"; readonly name: Name; readonly size_mib: number }
  | { readonly kind: "remove_policy"; readonly domain: Path }
  | { readonly kind: "remove_unikernel"; readonly name: Name }
  | { readonly kind: "remove_block"; readonly name: Name };

/** With a count it is that many, named NAME-1 and so on; without one it is NAME itself. */
export interface UnikernelStep {
  readonly kind: "unikernel";
  readonly name: Name;
  readonly count: number | null;
  readonly unikernel: Unikernel;
}

/** What is wanted, in the order in which it is tried. */
export interface Plan {
  readonly base: Base | null;
  readonly steps: readonly Step[];
}

/** Where everybody begins who was given no link. */
export const EMPTY: Plan = { base: null, steps: [] };

/** The largest plan as a text, in bytes; inflating a link ends there, too. */
export const PLAN_BYTES_MAX = 1 << 20;

/** The most unikernels that one step creates. */
export const COUNT_MAX = 10_000;

/** The most steps in all, each unikernel of a `count` one. */
export const STEPS_MAX = 100_000;

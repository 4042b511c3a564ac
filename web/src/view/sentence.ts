/**
 * Sentences of the rules, cut where a name can be followed: the domain that binds becomes a link.
 *
 * The sentences are the core's, to the letter. Only what the facts beside a sentence name is a link; anything else stays text.
 */

import type { ExplainedReason, Path, Reason } from "fulmar-browser";
import { parentOf } from "../plan/names";

export interface Part {
  readonly text: string;
  /** Where the text leads. */
  readonly domain: Path | null;
}

/** The sentence, in pieces that together are the sentence without its back-ticks. */
export function parts({ sentence, reason }: ExplainedReason): Part[] {
  const led = leads(reason);
  return sentence
    .split("`")
    .map((text, index) => ({ text, domain: index % 2 === 1 ? (led.get(text) ?? null) : null }))
    .filter(({ text }) => text !== "");
}

/** The domain whose limit or whose thing it is that is in the way. */
export function binding(reason: Reason): Path | null {
  return [...leads(reason).values()][0] ?? null;
}

/** What may stand in back-ticks, and the domain to look at for it. */
function leads(reason: Reason): Map<string, Path> {
  if (reason === "uncountable") return new Map();
  if ("exceeds" in reason) return domain(reason.exceeds.domain);
  if ("in_use" in reason) return domain(reason.in_use.domain);
  if ("wider" in reason) return domain(reason.wider.above);
  if ("narrower" in reason) return domain(reason.narrower.below);
  if ("policy_unknown" in reason) return domain(reason.policy_unknown.domain);
  if ("block_active" in reason) return new Map([...name(reason.block_active.name), ...name(reason.block_active.user)]);
  if ("unikernel_exists" in reason) return name(reason.unikernel_exists.name);
  if ("unikernel_unknown" in reason) return name(reason.unikernel_unknown.name);
  if ("block_exists" in reason) return name(reason.block_exists.name);
  if ("block_unknown" in reason) return name(reason.block_unknown.name);
  return name(reason.block_twice.name);
}

function domain(path: Path): Map<string, Path> {
  return new Map([[path, path]]);
}

function name(name: string): Map<string, Path> {
  return new Map([[name, parentOf(name) ?? name]]);
}

/**
 * What is looked at, asked of the tree: each part of an answer is one or a few questions to the rules about one domain, and none of
 * them walks over the whole tree.
 */

import type { Fact, Path, PolicyTree, Response, Usage } from "fulmar-browser";
import type { Answer, DomainAnswer, Look, RowAnswer, Wish, WishAnswer } from "./messages";
import type { PlannedTree } from "./tree";

export function look(tree: PlannedTree, at: Look): Omit<Answer, "took_ms"> {
  const rules = tree.rules;
  return {
    outcomes: tree.outcomes(),
    tally: tree.tally(),
    refused: new Map(at.steps.map((step) => [step, tree.refused(step)])),
    rows: new Map(at.rows.map((domain) => [domain, row(rules, domain)])),
    domain: at.domain === null ? null : whole(rules, at.domain, at.delegates),
    wish: at.wish && fit(rules, at.wish),
    facts: at.facts ? facts(rules) : null,
  };
}

function row(rules: PolicyTree, domain: Path): RowAnswer {
  return {
    policy: expect(rules.ask({ find_policy: { domain } }), "policy").policy,
    usage: usage(rules, domain),
    headroom: expect(rules.ask({ headroom: { domain } }), "headroom").headroom,
    handed_on: expect(rules.ask({ handed_on: { domain } }), "handed_on").handed_on,
  };
}

function usage(rules: PolicyTree, domain: Path): Usage {
  return expect(rules.ask({ usage: { domain } }), "usage").usage;
}

function whole(rules: PolicyTree, domain: Path, delegates: readonly Path[]): DomainAnswer {
  const held = delegates.flatMap((domain) => {
    const { policy } = expect(rules.ask({ find_policy: { domain } }), "policy");
    return policy ? [{ domain, policy, usage: usage(rules, domain) }] : [];
  });
  return { domain, ...row(rules, domain), delegates: held };
}

function fit(rules: PolicyTree, asked: Wish): WishAnswer {
  try {
    const { count, then } = expect(rules.ask({ how_many_fit: asked }), "fit");
    return { count, then, asked };
  } catch (error) {
    return { problem: sentence(error), asked };
  }
}

function facts(rules: PolicyTree): readonly Fact[] {
  return expect(rules.ask({ snapshot: {} }), "snapshot").snapshot.facts;
}

/** What an error says to a person. */
export function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

type Kind = Response extends infer R ? (R extends R ? keyof R : never) : never;
type Of<K extends Kind> = Extract<Response, Record<K, unknown>>[K];

/** The answer that this kind of request has. */
function expect<K extends Kind>(response: Response, kind: K): Of<K> {
  if (kind in response) return (response as unknown as Record<K, Of<K>>)[kind];
  throw new Error(`the rules answered ${JSON.stringify(response)} where \`${kind}\` was expected`);
}

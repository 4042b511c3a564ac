import type { Fact } from "fulmar-browser";
import { expect, test } from "vitest";
import { makeTree, random, randomPlan } from "../formats/fixture";
import { difference, isEmpty, subject } from "./difference";
import { FACTS, POLICY, UNIKERNEL } from "./fixture";
import { protocolSteps } from "./steps";

test("facts are compared by what they are about, and told as the tree shows them", () => {
  const wider = { ...POLICY, unikernels: 3 };
  const after: Fact[] = [
    { unikernel: { name: "zoe:a", unikernel: UNIKERNEL } },
    { unikernel: { name: "bob:web", unikernel: UNIKERNEL } },
    { block: { name: "bob:web", size_mib: 1 } },
    { policy: { domain: "bob", policy: POLICY } },
    ...FACTS.slice(1, 3),
    { policy: { domain: "alice", policy: wider } },
  ];
  const { added, removed, changed } = difference(FACTS, after);
  expect(added.map(subject)).toEqual([
    { kind: "policy", name: "bob" },
    { kind: "block", name: "bob:web" },
    { kind: "unikernel", name: "bob:web" },
    { kind: "unikernel", name: "zoe:a" },
  ]);
  expect(removed.map(subject)).toEqual([{ kind: "unikernel", name: "alice:bob:web" }]);
  expect(changed).toEqual([{ before: FACTS[0], after: { policy: { domain: "alice", policy: wider } } }]);
});

function factsAfter(seed: number): Fact[] {
  const tree = makeTree();
  for (const step of protocolSteps(randomPlan(random(seed), 30)).steps) tree.ask(step);
  const answer = tree.ask({ snapshot: {} });
  return "snapshot" in answer ? answer.snapshot.snapshot.facts : [];
}

test("what is added, removed and changed makes the one state of the other", () => {
  for (let seed = 0; seed < 100; seed += 1) {
    const [before, after] = [factsAfter(seed), factsAfter(seed + 1)];
    const { added, removed, changed } = difference(before, after);
    const key = (fact: Fact) => JSON.stringify(subject(fact));
    const gone = new Set([...removed, ...changed.map((change) => change.before)].map(key));
    const made = [...before.filter((fact) => !gone.has(key(fact))), ...added, ...changed.map((change) => change.after)];
    expect(made.map((fact) => JSON.stringify(fact)).sort()).toEqual(after.map((fact) => JSON.stringify(fact)).sort());
    expect(isEmpty(difference(before, [...before].reverse()))).toBe(true);
  }
});

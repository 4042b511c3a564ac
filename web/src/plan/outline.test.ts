import { describe, expect, test } from "vitest";
import { random, randomPlan } from "../formats/fixture";
import { FACTS, POLICY, block, plan, policy, unikernel, without } from "./fixture";
import { comparePaths } from "./names";
import { find, isGone, isLiving, outline } from "./outline";
import type { Plan } from "./plan";
import { names } from "./steps";

function paths(plan: Plan): string[] {
  return outline(plan).domains.map((domain) => domain.path);
}

test("a domain comes right before those below it, and siblings come by label", () => {
  expect(
    paths(plan([policy("erin:x"), unikernel("alice.b:web"), policy("alice:zoe"), block("alice:bob:dora:data")])),
  ).toEqual([":", "alice", "alice:bob", "alice:bob:dora", "alice:zoe", "alice.b", "erin", "erin:x"]);
});

test("domains know where they are", () => {
  const { domains, at } = outline(plan([policy("alice:bob"), policy("carl")]));
  expect(domains.map(({ label, depth, parent, children }) => ({ label, depth, parent, children }))).toEqual([
    { label: "", depth: 0, parent: null, children: [1, 3] },
    { label: "alice", depth: 1, parent: 0, children: [2] },
    { label: "bob", depth: 2, parent: 1, children: [] },
    { label: "carl", depth: 1, parent: 0, children: [] },
  ]);
  expect([...at]).toEqual([
    [":", 0],
    ["alice", 1],
    ["alice:bob", 2],
    ["carl", 3],
  ]);
});

test("the last policy is the one that holds, wherever it is said", () => {
  const wider = { ...POLICY, unikernels: 9 };
  const drawn = outline(plan([policy("carl"), { kind: "policy", domain: "alice", policy: wider }], FACTS));
  expect(find(drawn, "alice")?.policy).toEqual({
    name: "alice",
    value: wider,
    origin: { from: "step", index: 1 },
    removed: [],
  });
  expect(find(drawn, "alice:bob")?.policy?.origin).toEqual({ from: "base" });
});

describe("what a step removes stays in the tree, struck out", () => {
  const drawn = outline(
    plan(
      [
        unikernel("alice:web"),
        without("alice:web"),
        unikernel("alice:web"),
        without("alice:nobody"),
        without("alice:bob:web"),
        unikernel("alice:mail", 3),
        without("alice:mail-2"),
        without("alice:mail-4"),
        { kind: "remove_policy", domain: "alice:bob" },
        { kind: "remove_policy", domain: "alice:bob" },
        { kind: "remove_block", name: "alice:bob:data" },
      ],
      FACTS,
    ),
  );

  test("each step takes what is there at that time", () => {
    const origins = drawn.targets.map((target) => target?.origin ?? null);
    expect(origins).toEqual([
      null,
      { from: "step", index: 0 },
      null,
      null,
      { from: "base" },
      null,
      { from: "step", index: 5 },
      null,
      { from: "base" },
      null,
      { from: "base" },
    ]);
  });

  test("one of a count leaves the others", () => {
    const unikernels = find(drawn, "alice")?.unikernels ?? [];
    expect(unikernels.map((placed) => [placed.name, isGone(placed), placed.removed])).toEqual([
      ["alice:web", true, [{ name: "alice:web", by: 1 }]],
      ["alice:web", false, []],
      ["alice:mail", false, [{ name: "alice:mail-2", by: 6 }]],
    ]);
  });

  test("a domain of which nothing is left is no living one", () => {
    expect(drawn.domains.map((domain) => [domain.path, isLiving(domain)])).toEqual([
      [":", false],
      ["alice", true],
      ["alice:bob", false],
    ]);
  });
});

test("of two under one name the first one is removed, and of two alike in writing too", () => {
  const twice = outline(
    plan([unikernel("web", 1), unikernel("web-1"), without("web-1"), without("web-1"), without("web-1")]),
  );
  expect(twice.targets.map((target) => target?.name ?? null)).toEqual([null, null, "web", "web-1", null]);
});

/** What is left in the end, by a walk that is as plain as it is slow. */
function leftOver({ steps }: Plan): string[] {
  const left: { unikernels: string[]; blocks: string[]; policies: Set<string> } = {
    unikernels: [],
    blocks: [],
    policies: new Set(),
  };
  const drop = (list: string[], name: string) => list.includes(name) && list.splice(list.indexOf(name), 1);
  for (const step of steps)
    if (step.kind === "unikernel") left.unikernels.push(...names(step));
    else if (step.kind === "block") left.blocks.push(step.name);
    else if (step.kind === "policy") left.policies.add(step.domain);
    else if (step.kind === "remove_policy") left.policies.delete(step.domain);
    else drop(step.kind === "remove_block" ? left.blocks : left.unikernels, step.name);
  return [
    ...[...left.policies].map((domain) => `policy ${domain}`),
    ...left.blocks.map((name) => `block ${name}`),
    ...left.unikernels.map((name) => `unikernel ${name}`),
  ].sort();
}

test("for random plans the tree holds what a plain walk leaves over, in the order of the rules", () => {
  for (let seed = 0; seed < 300; seed += 1) {
    const plan = randomPlan(random(seed), 40);
    const { domains } = outline(plan);
    const held = domains.flatMap((domain) => [
      ...(domain.policy && !isGone(domain.policy) ? [`policy ${domain.path}`] : []),
      ...domain.blocks.filter((placed) => !isGone(placed)).map(({ name }) => `block ${name}`),
      ...domain.unikernels.flatMap(({ name, count, value: unikernel, removed }) =>
        names({ kind: "unikernel", name, count, unikernel })
          .filter((name) => !removed.some((removal) => removal.name === name))
          .map((name) => `unikernel ${name}`),
      ),
    ]);
    expect(held.sort(), `seed ${seed}`).toEqual(leftOver(plan));
    const order = domains.map((domain) => domain.path);
    expect(order, `seed ${seed}`).toEqual([...order].sort(comparePaths));
  }
});

test("ten thousand domains are drawn once for a plan, and fast enough for every key", () => {
  const steps = Array.from({ length: 10_000 }, (_, index) => policy(`d${index % 100}:e${index}`));
  const large = plan(steps);
  const times = Array.from({ length: 5 }, () => {
    const begin = performance.now();
    expect(outline({ ...large }).domains.length).toBe(10_101);
    return performance.now() - begin;
  });
  console.log(`10,000 domains: ${Math.min(...times).toFixed(1)} ms at best`);
  expect(outline(large)).toBe(outline(large));
});

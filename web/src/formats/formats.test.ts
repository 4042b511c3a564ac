/** Every form of a plan gives back the plan it was written from. */

import { describe, expect, test } from "vitest";
import alice from "../../../tests/plans/alice.toml?raw";
import { EXAMPLE } from "../plan/example";
import type { Plan } from "../plan/plan";
import { protocolSteps } from "../plan/steps";
import { readFile } from "./file";
import { makeTree, ok, random, randomPlan } from "./fixture";
import { readJson, writeJson } from "./json";
import { LINK_CHARACTERS_MAX, readLink, writeLink } from "./link";
import { readToml, writeToml } from "./toml";

const PLANS: Plan[] = [EXAMPLE, ...Array.from({ length: 60 }, (_, seed) => randomPlan(random(seed), 1 + (seed % 20)))];

function snapshotOf(plan: Plan): Uint8Array {
  const tree = makeTree();
  tree.ask({
    load: {
      facts: [{ policy: { domain: "alice", policy: { unikernels: 1, memory_mib: 1, cpuids: [0], bridges: [] } } }],
    },
  });
  for (const step of protocolSteps(plan).steps) if ("insert_policy" in step || "insert_block" in step) tree.ask(step);
  return tree.snapshot();
}

test("the example is the story of the command line", () => {
  expect(EXAMPLE.steps).toEqual(ok(readToml(alice, makeTree())));
});

describe("what is written is read back", () => {
  test.each(PLANS.map((plan) => [plan]))("%#", async (plan) => {
    expect(ok(readToml(writeToml(plan), makeTree()))).toEqual(plan.steps);
    expect(ok(readJson(writeJson(plan), makeTree()))).toEqual(plan.steps);
    const written = await writeLink(plan);
    expect(ok(await readLink("link" in written ? written.link : "", makeTree))).toEqual(plan);
  });
});

test("an empty plan and a host's state travel in a link", async () => {
  const bytes = snapshotOf(EXAMPLE);
  const dropped = ok(readFile(bytes, "of monday", makeTree));
  if (dropped.kind !== "base") throw new Error("it is a snapshot");
  const plan: Plan = { base: dropped.base, steps: [] };
  expect(plan.base?.facts.length).toBeGreaterThan(2);
  const written = await writeLink(plan);
  expect(ok(await readLink("link" in written ? written.link : "", makeTree))).toEqual(plan);
});

test("files are told apart by what is in them", () => {
  const encode = (text: string) => new TextEncoder().encode(text);
  for (const bytes of [encode(writeToml(EXAMPLE)), encode(`\n ${writeJson(EXAMPLE)}`), encode(`\ufeff${alice}`)])
    expect(ok(readFile(bytes, "x.bin", makeTree))).toEqual({ kind: "plan", plan: EXAMPLE });
  const bytes = snapshotOf(EXAMPLE);
  const tree = makeTree();
  tree.restore(bytes);
  const answer = tree.ask({ snapshot: {} });
  const snapshot = "snapshot" in answer ? answer.snapshot.snapshot : null;
  for (const [title, file] of [
    ["a.toml", bytes],
    ["b.toml", encode(JSON.stringify(snapshot))],
  ] as const)
    expect(ok(readFile(file, title, makeTree))).toEqual({
      kind: "base",
      base: { title, snapshot: bytes, facts: snapshot?.facts },
    });
});

test("a plan that no link can carry says so", async () => {
  const below = random(7);
  const steps = Array.from({ length: 20_000 }, () => {
    const name = Array.from({ length: 20 }, () => "abcdefghij"[below(10)]).join("");
    return { kind: "remove_block", name } as const;
  });
  expect(await writeLink({ base: null, steps })).toEqual({
    problem: `the plan is too large for a link of at most ${LINK_CHARACTERS_MAX} characters: keep it as a file`,
  });
});

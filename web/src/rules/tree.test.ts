import { readFileSync } from "node:fs";
import { initSync, PolicyTree } from "fulmar-browser";
import { beforeAll, expect, test } from "vitest";
import { EXAMPLE } from "../plan/example";
import type { Step } from "../plan/plan";
import { look } from "./look";
import { OUTCOME } from "./messages";
import type { Look, Question } from "./messages";
import { PlannedTree } from "./tree";

beforeAll(() => {
  initSync({ module: readFileSync(new URL("../../../wasm/dist/browser/fulmar_bg.wasm", import.meta.url)) });
});

const LOOK: Look = { rows: [], domain: null, delegates: [], steps: [], wish: null, facts: false };
const question = (change: Partial<Question>): Question => ({
  base: null,
  splice: null,
  stop: false,
  look: LOOK,
  ...change,
});
const all = (steps: readonly Step[]): Question => question({ splice: { at: 0, remove: 0, insert: steps } });

test("the story: charlie's second does not fit, and the limit in the way is alice's", () => {
  const tree = new PlannedTree();
  tree.apply(all(EXAMPLE.steps));
  const { admitted, partly } = OUTCOME;
  expect([...tree.outcomes()]).toEqual([admitted, admitted, admitted, admitted, admitted, partly, admitted, admitted]);
  expect(tree.tally()).toEqual({ admitted: 8, refused: 1, not_tried: 0 });
  const [run] = tree.refused(5);
  expect(run).toMatchObject({ from: 1, to: 1 });
  expect(run?.reasons.map(({ sentence }) => sentence)).toEqual([
    "unikernels: `alice` allows 2, 2 in use, 1 asked: over by 1",
  ]);
});

test("after the first refusal nothing is tried, where a person wants it so", () => {
  const tree = new PlannedTree();
  tree.apply({ ...all(EXAMPLE.steps), stop: true });
  expect([...tree.outcomes()].slice(5)).toEqual([OUTCOME.partly, OUTCOME.not_tried, OUTCOME.not_tried]);
  expect(tree.tally()).toEqual({ admitted: 6, refused: 1, not_tried: 2 });
});

test("an edit comes to the same as the plan that it makes", () => {
  const [edited, fresh] = [new PlannedTree(), new PlannedTree()];
  const bob: Step = { kind: "remove_policy", domain: "alice:bob" };
  edited.apply(all(EXAMPLE.steps));
  edited.apply(question({ splice: { at: 1, remove: 1, insert: [bob] } }));
  fresh.apply(all(EXAMPLE.steps.with(1, bob)));
  expect([...edited.outcomes()]).toEqual([...fresh.outcomes()]);
  expect(edited.rules.snapshot()).toEqual(fresh.rules.snapshot());
});

test("steps are tried on the base, and on nothing where it is taken away", () => {
  const host = new PolicyTree();
  host.ask({ insert_block: { name: "data", size_mib: 1 } });
  const tree = new PlannedTree();
  const remove: Step = { kind: "remove_block", name: "data" };
  tree.apply({ ...all([remove]), base: { snapshot: host.snapshot() } });
  expect([...tree.outcomes()]).toEqual([OUTCOME.admitted]);
  tree.apply(question({ base: { snapshot: null } }));
  expect([...tree.outcomes()]).toEqual([OUTCOME.refused]);
});

test("a step that is none at all is an error, and the next plan is tried whole", () => {
  const tree = new PlannedTree();
  const wrong: Step = { kind: "block", name: "no name", size_mib: 1 };
  expect(() => tree.apply(all([wrong]))).toThrow("the label `no name` contains ` `");
  tree.apply(question({ splice: { at: 0, remove: 1, insert: [{ ...wrong, name: "data" }] } }));
  expect([...tree.outcomes()]).toEqual([OUTCOME.admitted]);
});

test("an answer holds what is looked at, and nothing else", () => {
  const tree = new PlannedTree();
  tree.apply(all(EXAMPLE.steps));
  const unikernel = { memory_mib: 32, cpuids: [0], block_devices: [], bridges: [] };
  const answer = look(tree, {
    rows: ["alice"],
    domain: "alice",
    delegates: ["alice:bob", "alice:charlie", "alice:dora"],
    steps: [5],
    wish: { domain: "alice", unikernel },
    facts: false,
  });
  expect([...answer.rows.keys()]).toEqual(["alice"]);
  expect(answer.domain?.usage.unikernels).toBe(2);
  // Dora has no policy: nothing was handed on to her.
  expect(answer.domain?.delegates.map(({ domain }) => domain)).toEqual(["alice:bob", "alice:charlie"]);
  expect(answer.domain?.handed_on.oversubscribed).toEqual([{ unikernels: { allowed: 2, used: 0, asked: 4 } }]);
  expect(answer.wish).toMatchObject({ count: 0 });
  expect([...answer.refused.keys()]).toEqual([5]);
  expect(answer.facts).toBeNull();
});

test("a wish that is none says why", () => {
  const tree = new PlannedTree();
  const wish = { domain: "alice", unikernel: { memory_mib: 0, cpuids: [0], block_devices: [], bridges: [] } };
  const answer = look(tree, { ...LOOK, wish });
  expect(answer.wish).toEqual({ problem: expect.stringContaining("memory") as unknown, asked: wish });
});

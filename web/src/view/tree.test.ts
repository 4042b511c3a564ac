import { expect, test } from "vitest";
import { outline } from "../plan/outline";
import type { Policy } from "fulmar-browser";
import type { Plan } from "../plan/plan";
import { DELEGATES_MAX, delegates } from "./delegates";
import { neighbour } from "./neighbour";
import { visible } from "./visible";

const policy: Policy = { unikernels: 1, memory_mib: 1, block_mib: null, cpuids: [0], bridges: [] };
const plan = (...domains: string[]): Plan => ({
  base: null,
  steps: domains.map((domain) => ({ kind: "policy", domain, policy })),
});
const drawn = outline(plan("a", "a:x", "a:x:deep", "a:y", "b", "b:z"));
const at = (path: string) => {
  const domain = drawn.domains[drawn.at.get(path) ?? -1];
  if (!domain) throw new Error(path);
  return domain;
};
const paths = (folded: string[]) => visible(drawn, new Set(folded)).map(({ path }) => path);

test("below a folded domain no row is shown, and those beside it are", () => {
  expect(paths([])).toEqual([":", "a", "a:x", "a:x:deep", "a:y", "b", "b:z"]);
  expect(paths(["a"])).toEqual([":", "a", "b", "b:z"]);
  expect(paths(["a:x", "b"])).toEqual([":", "a", "a:x", "a:y", "b"]);
  expect(paths([":", "a"])).toEqual([":"]);
});

test("Alt and an arrow move out, in, and to the neighbour of the domain above", () => {
  const to = (path: string, key: string) => neighbour(drawn, at(path), key);
  expect(to("a:x:deep", "ArrowLeft")).toBe("a");
  expect(to("a", "ArrowLeft")).toBeNull();
  expect(to("a:y", "ArrowRight")).toBe("a:x");
  expect(to("a:x", "ArrowRight")).toBe("a:y");
  expect(to("a:x:deep", "ArrowRight")).toBeNull();
  expect(to("a:x", "ArrowDown")).toBe("b");
  expect(to("b:z", "ArrowUp")).toBe("a");
  expect(to("b:z", "ArrowDown")).toBeNull();
  expect(to(":", "ArrowLeft")).toBeNull();
});

test("handed on is to the nearest domains below that have a policy", () => {
  expect(delegates(drawn, at(":"))).toEqual(["a", "b"]);
  expect(delegates(drawn, at("a"))).toEqual(["a:x", "a:y"]);
  const gap = outline(plan("a", "a:gap:x"));
  const [root] = gap.domains;
  if (root) expect(delegates(gap, root)).toEqual(["a"]);
  const inner = gap.domains[1];
  if (inner) expect(delegates(gap, inner)).toEqual(["a:gap:x"]);
});

test("more than can be told apart are not looked at", () => {
  const many = outline(plan(...Array.from({ length: 500 }, (_, nth) => `d${nth}`)));
  const [root] = many.domains;
  if (root) expect(delegates(many, root)).toHaveLength(DELEGATES_MAX);
});

import { describe, expect, test } from "vitest";
import { random, randomPlan } from "../formats/fixture";
import {
  addBlock,
  addDomain,
  addUnikernel,
  duplicateBlock,
  duplicateDomain,
  duplicateUnikernel,
  type Edited,
  moveStep,
  removeBlock,
  removeDomain,
  removePolicy,
  removeStep,
  removeUnikernel,
  renameBlock,
  renameDomain,
  renameUnikernel,
  setBlock,
  setPolicy,
  setUnikernel,
} from "./edit";
import {
  FACTS,
  POLICY,
  UNIKERNEL,
  block,
  edited,
  placed,
  placedBlock,
  plan,
  policy,
  told,
  unikernel,
  without,
} from "./fixture";
import { begin, record, redo, undo } from "./history";
import { ROOT, isWithin, join } from "./names";
import { find, isGone, isLiving, outline } from "./outline";
import type { Plan } from "./plan";

function problem(edit: Edited): string {
  return "problem" in edit ? edit.problem : told(edit.plan).join(", ");
}

describe("a policy", () => {
  const other = { ...POLICY, unikernels: 7 };

  test("that a step gives is edited in that step", () => {
    const after = edited(setPolicy(plan([policy("alice"), policy("bob")]), "alice", other));
    expect(after.steps).toEqual([{ kind: "policy", domain: "alice", policy: other }, policy("bob")]);
  });

  test("of the base is replaced by a step, once", () => {
    const once = edited(setPolicy(plan([], FACTS), "alice", other));
    expect(told(once)).toEqual(["policy alice"]);
    expect(told(edited(setPolicy(once, "alice", POLICY)))).toEqual(["policy alice"]);
  });

  test("is taken away with every step that gives it, and the base's by a step", () => {
    const steps = [policy("alice"), policy("bob"), policy("alice")];
    expect(told(edited(removePolicy(plan(steps), "alice")))).toEqual(["policy bob"]);
    expect(told(edited(removePolicy(plan(steps, FACTS), "alice")))).toEqual(["policy bob", "remove_policy alice"]);
    expect(problem(removePolicy(plan(steps), "carl"))).toBe("`carl` has no policy to remove");
  });

  test("given after one was removed comes after the removal", () => {
    const removed = edited(removePolicy(plan([], FACTS), "alice"));
    expect(told(edited(setPolicy(removed, "alice", other)))).toEqual(["remove_policy alice", "policy alice"]);
  });
});

describe("a unikernel", () => {
  test("is added under a name that is free", () => {
    const before = plan([unikernel("alice:web", 3), without("alice:web-2"), unikernel("alice:mail-1")]);
    const add = (name: string, count: number | null) => problem(addUnikernel(before, name, UNIKERNEL, count));
    expect(add("alice:web", null)).toContain("unikernel alice:web");
    expect(add("alice:web-2", null)).toContain("unikernel alice:web-2");
    expect(add("alice:web-3", null)).toBe("there is a unikernel `alice:web-3` already");
    expect(add("alice:web-03", null)).toContain("unikernel alice:web-03");
    expect(add("alice:mail", 4)).toBe("there is a unikernel `alice:mail-1` already");
    expect(add("alice:web", 1)).toBe("there is a unikernel `alice:web-1` already");
    expect(problem(addUnikernel(plan([unikernel("a", 1), without("a-1")]), "a", UNIKERNEL, 1))).toContain(
      "unikernel a x1",
    );
  });

  test("of a step is edited there, and one of the base is removed and created", () => {
    const large = { ...UNIKERNEL, memory_mib: 99 };
    const before = plan([unikernel("alice:web")], FACTS);
    const inPlace = edited(setUnikernel(before, placed(before, "alice:web"), large, 2));
    expect(inPlace.steps).toEqual([{ kind: "unikernel", name: "alice:web", count: 2, unikernel: large }]);
    const replaced = edited(setUnikernel(before, placed(before, "alice:bob:web"), large, null));
    expect(told(replaced).slice(1)).toEqual(["remove_unikernel alice:bob:web", "unikernel alice:bob:web"]);
    expect(problem(setUnikernel(replaced, placed(replaced, "alice:bob:web"), large, null))).toBe(
      "step 2 removes `alice:bob:web`: take that step out first",
    );
  });

  test("takes with it what removes it later", () => {
    const before = plan([unikernel("alice:web", 3), without("alice:web-2"), without("alice:web-9")]);
    const after = edited(renameUnikernel(before, placed(before, "alice:web"), "bob:mail"));
    expect(told(after)).toEqual([
      "unikernel bob:mail x3",
      "remove_unikernel bob:mail-2",
      "remove_unikernel alice:web-9",
    ]);
    const gone = edited(removeUnikernel(before, placed(before, "alice:web")));
    expect(told(gone)).toEqual(["remove_unikernel alice:web-9"]);
  });

  test("does not come under a step that removes another one", () => {
    const before = plan([unikernel("a"), without("b")]);
    expect(problem(renameUnikernel(before, placed(before, "a"), "b"))).toBe(
      "step 2 removes `b`: take that step out first",
    );
    const fewer = plan([unikernel("a", 3), without("a-3")]);
    expect(problem(setUnikernel(fewer, placed(fewer, "a"), UNIKERNEL, 2))).toBe(
      "step 2 removes `a-3`: take that step out first",
    );
  });

  test("is duplicated right behind itself, counting on", () => {
    const before = plan([unikernel("web"), unikernel("web-2"), unikernel("mail", 2)]);
    expect(told(edited(duplicateUnikernel(before, placed(before, "web"))))).toEqual([
      "unikernel web",
      "unikernel web-3",
      "unikernel web-2",
      "unikernel mail x2",
    ]);
    expect(told(edited(duplicateUnikernel(before, placed(before, "mail"))))).toContain("unikernel mail-2 x2");
  });

  test("does not grow beyond what can be tried", () => {
    const before = plan(Array.from({ length: 10 }, (_, index) => unikernel(`w${index}`, 10_000)));
    expect(problem(addUnikernel(before, "one", UNIKERNEL, null))).toBe(
      "the plan has more than 100000 steps, each unikernel of a `count` counted",
    );
    expect(problem(addUnikernel(plan([]), "one", UNIKERNEL, 10_001))).toBe(
      "10001 are too many for one step: at most 10000",
    );
    expect(problem(addUnikernel(plan([]), "x".repeat(62), UNIKERNEL, 10))).toContain("is 65 bytes long: at most 63");
  });
});

describe("a block device", () => {
  const using = (name: string, host: string) => ({
    ...unikernel(name),
    unikernel: { ...UNIKERNEL, block_devices: [{ device: "disk", host, sector_size: null }] },
  });

  test("that is renamed stays attached to the unikernels of its domain", () => {
    const before = plan([block("alice:data"), using("alice:web", "data") as never, using("bob:web", "data") as never]);
    const after = edited(renameBlock(before, placedBlock(before, "alice:data"), "alice:disk"));
    const hosts = after.steps.flatMap((step) =>
      step.kind === "unikernel" ? step.unikernel.block_devices.map((device) => device.host) : [],
    );
    expect(told(after)[0]).toBe("block alice:disk");
    expect(hosts).toEqual(["disk", "data"]);
  });

  test("is added, resized, duplicated and removed as a unikernel is", () => {
    const before = plan([block("data")], FACTS);
    expect(problem(addBlock(before, "data", 1))).toBe("there is a block device `data` already");
    expect(edited(setBlock(before, placedBlock(before, "data"), 99)).steps).toEqual([
      { kind: "block", name: "data", size_mib: 99 },
    ]);
    expect(told(edited(setBlock(before, placedBlock(before, "alice:bob:data"), 99)))).toEqual([
      "block data",
      "remove_block alice:bob:data",
      "block alice:bob:data",
    ]);
    expect(told(edited(duplicateBlock(before, placedBlock(before, "alice:bob:data"))))).toEqual([
      "block data",
      "block alice:bob:data-2",
    ]);
    expect(told(edited(removeBlock(before, placedBlock(before, "data"))))).toEqual([]);
  });
});

describe("a domain", () => {
  const steps = [
    policy("alice"),
    policy("alice:bob"),
    block("alice:bob:data"),
    unikernel("alice:bob:web", 2),
    without("alice:bob:web-1"),
    policy("alicent"),
  ];

  test("is renamed with everything below it, and with nothing beside it", () => {
    expect(told(edited(renameDomain(plan(steps), "alice", "carl:eve")))).toEqual([
      "policy carl:eve",
      "policy carl:eve:bob",
      "block carl:eve:bob:data",
      "unikernel carl:eve:bob:web x2",
      "remove_unikernel carl:eve:bob:web-1",
      "policy alicent",
    ]);
    expect(told(edited(renameDomain(plan(steps), "alice:bob", "bob")))).toContain("unikernel bob:web x2");
  });

  test("is not moved below itself, onto another one, or off the root", () => {
    const rename = (from: string, to: string) => problem(renameDomain(plan(steps), from, to));
    expect(rename("alice", "alice:bob:alice")).toBe("`alice` cannot be moved or copied below itself");
    expect(rename("alice", "alicent")).toBe("there is a domain `alicent` already");
    expect(rename(":", "bob")).toBe("the root holds all domains: it is neither moved nor copied");
    const gone = plan([policy("alice"), policy("bob"), { kind: "remove_policy", domain: "bob" }]);
    expect(problem(renameDomain(gone, "alice", "bob"))).toBe(
      "steps of the plan are still about `bob`: take them out first",
    );
    expect(rename("alice", "x".repeat(60) + ":" + "y".repeat(60) + ":" + "z".repeat(60) + ":abcdefg")).toContain(
      "bytes long: at most 189",
    );
  });

  test("of the base is taken down from the leaves up, and built from the top down", () => {
    const renamed = edited(renameDomain(plan([policy("alice:bob")], FACTS), "alice", "carl"));
    expect(told(renamed)).toEqual([
      "policy carl:bob",
      "remove_unikernel alice:bob:web",
      "remove_block alice:bob:data",
      "remove_policy alice:bob",
      "remove_policy alice",
      "policy carl",
      "block carl:bob:data",
      "unikernel carl:bob:web",
    ]);
    expect(
      outline(renamed)
        .domains.filter(isLiving)
        .map((domain) => domain.path),
    ).toEqual(["carl", "carl:bob"]);
  });

  test("is duplicated with what is left of it", () => {
    const before = plan([...steps, { kind: "remove_policy", domain: "alice:bob" }]);
    expect(told(edited(duplicateDomain(before, "alice", null))).slice(steps.length + 1)).toEqual([
      "policy alice-2",
      "block alice-2:bob:data",
      "unikernel alice-2:bob:web x2",
    ]);
  });

  test("is removed with everything below it", () => {
    expect(told(edited(removeDomain(plan(steps), "alice")))).toEqual(["policy alicent"]);
    expect(told(edited(removeDomain(plan([policy("alice"), without("alice:bob:web")], FACTS), "alice")))).toEqual([
      "remove_unikernel alice:bob:web",
      "remove_block alice:bob:data",
      "remove_policy alice:bob",
      "remove_policy alice",
    ]);
  });

  test("is added by its policy, where there is none", () => {
    expect(told(edited(addDomain(plan(steps), "alice:dora", POLICY)))).toContain("policy alice:dora");
    expect(problem(addDomain(plan(steps), "alice:bob", POLICY))).toBe("there is a domain `alice:bob` already");
  });
});

test("steps are moved and taken out one by one", () => {
  const before = plan([policy("a"), policy("b"), policy("c")]);
  expect(told(edited(moveStep(before, 0, 2)))).toEqual(["policy b", "policy c", "policy a"]);
  expect(told(edited(moveStep(before, 2, 0)))).toEqual(["policy c", "policy a", "policy b"]);
  expect(problem(moveStep(before, 0, 3))).toBe("there is no such place in the plan");
  expect(told(edited(removeStep(before, 1)))).toEqual(["policy a", "policy c"]);
});

/** Any edit of anything, sensible or not. */
function anyEdit(plan: Plan, below: (bound: number) => number): Edited {
  const { domains } = outline(plan);
  const domain = domains[below(domains.length)] ?? domains[0];
  if (!domain) throw new Error("there is always the root");
  const unikernel = domain.unikernels[below(domain.unikernels.length || 1)];
  const block = domain.blocks[below(domain.blocks.length || 1)];
  const label = ["web", "new", "mail-2"][below(3)] ?? "";
  const target = domains[below(domains.length)]?.path ?? ROOT;
  const index = below(plan.steps.length || 1);
  const edits: (() => Edited | null | undefined)[] = [
    () => setPolicy(plan, domain.path, { ...POLICY, memory_mib: below(999) }),
    () => removePolicy(plan, domain.path),
    () => addUnikernel(plan, join(target, label), UNIKERNEL, below(2) ? below(3) + 1 : null),
    () => unikernel && setUnikernel(plan, unikernel, { ...UNIKERNEL, memory_mib: 1 + below(99) }, unikernel.count),
    () => unikernel && renameUnikernel(plan, unikernel, join(target, label)),
    () => unikernel && duplicateUnikernel(plan, unikernel),
    () => unikernel && removeUnikernel(plan, unikernel),
    () => addBlock(plan, join(target, label), 1 + below(99)),
    () => block && setBlock(plan, block, 1 + below(99)),
    () => block && renameBlock(plan, block, join(target, label)),
    () => block && duplicateBlock(plan, block),
    () => block && removeBlock(plan, block),
    () => addDomain(plan, join(target, label), POLICY),
    () => renameDomain(plan, domain.path, join(target, label)),
    () => duplicateDomain(plan, domain.path, null),
    () => (below(5) === 0 ? removeDomain(plan, domain.path) : null),
    () => moveStep(plan, index, below(plan.steps.length || 1)),
    () => removeStep(plan, index),
  ];
  return edits[below(edits.length)]?.() ?? { plan };
}

test("whatever is done can be undone step by step, and done again", () => {
  for (let seed = 0; seed < 60; seed += 1) {
    const below = random(seed);
    const first: Plan = { ...randomPlan(below, 12), base: plan([], FACTS).base };
    let history = begin(first);
    const seen = [JSON.stringify(first)];
    for (let round = 0; round < 40; round += 1) {
      const edit = anyEdit(history.present, below);
      if ("problem" in edit || edit.plan === history.present) continue;
      history = record(history, edit.plan, null);
      seen.push(JSON.stringify(edit.plan));
    }
    for (const text of seen.toReversed()) {
      expect(JSON.stringify(history.present)).toBe(text);
      history = undo(history);
    }
    expect(history.present).toBe(first);
    for (const text of seen.slice(1)) {
      history = redo(history);
      expect(JSON.stringify(history.present)).toBe(text);
    }
  }
});

test("what is removed is gone, what is renamed is elsewhere, and nothing else has changed", () => {
  const living = (plan: Plan) =>
    outline(plan)
      .domains.flatMap((domain) => [domain.policy ?? [], domain.unikernels, domain.blocks].flat())
      .filter((thing) => !isGone(thing))
      .map((thing) => JSON.stringify([thing.name, thing.value]))
      .sort();
  for (let seed = 0; seed < 300; seed += 1) {
    const below = random(seed);
    const before: Plan = { ...randomPlan(below, 14), base: plan([], FACTS).base };
    const { domains } = outline(before);
    const domain = domains[below(domains.length)]?.path ?? ROOT;
    const removed = edited(removeDomain(before, domain));
    const outside = domains.filter((other) => !isWithin(other.path, domain)).map((other) => other.path);
    expect(
      outline(removed)
        .domains.filter(isLiving)
        .every((other) => outside.includes(other.path)),
      `seed ${seed}`,
    ).toBe(true);
    const renamed = renameDomain(before, domain, "nowhere:else");
    if ("problem" in renamed) continue;
    const back = renameDomain(renamed.plan, "nowhere:else", domain);
    if ("plan" in back) expect(living(back.plan), `seed ${seed}`).toEqual(living(before));
    expect(living(renamed.plan).length, `seed ${seed}`).toBe(living(before).length);
    expect(find(outline(renamed.plan), domain) === null || !isLiving(find(outline(renamed.plan), domain)!)).toBe(true);
  }
});

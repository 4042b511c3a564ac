// What comes in and goes out: links, files, a host's state. What is damaged says so, and leaves the plan as it was.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { PolicyTree } from "../../wasm/dist/node/fulmar.js";
import { ROOT, start } from "./browser.mjs";

const browser = await start();
after(() => browser.end());

const alice = await readFile(join(ROOT, "tests/plans/alice.toml"));

/** The state of a host where alice has a policy, and bob runs something. */
function snapshot() {
  const tree = new PolicyTree();
  const policy = { unikernels: 3, memory_mib: 96, cpuids: [0], bridges: [] };
  const facts = [
    { policy: { domain: "alice", policy } },
    { policy: { domain: "alice:bob", policy: { ...policy, unikernels: 1 } } },
    { unikernel: { name: "alice:bob:web", unikernel: { memory_mib: 32, cpuids: [0] } } },
  ];
  assert.deepEqual(tree.ask({ load: { facts } }), { admitted: {} });
  return tree.snapshot();
}

test("a link brings the same plan to somebody else, and a reload loses nothing", async () => {
  const visit = await browser.open();
  await visit.empty();
  await visit.drop("alice.toml", alice);
  await visit.verdicts("1 refused");
  await visit.page.waitForFunction(() => location.hash.startsWith("#v1."));
  const link = new URL(await visit.share("Link")).hash;
  const plan = await visit.share("plan.toml");
  await visit.page.reload();
  await visit.verdicts("1 refused");
  assert.equal(await visit.share("plan.toml"), plan);
  await visit.close();

  const other = await browser.open({ link });
  await other.verdicts("1 refused");
  assert.equal(await other.share("plan.toml"), plan);
  assert.equal(await other.role("button", "Undo").isDisabled(), true);
  await other.close();
});

test("a damaged link says so; where a plan stands it stays", async () => {
  const visit = await browser.open();
  const link = new URL(await visit.share("Link")).hash;
  const plan = await visit.share("plan.toml");
  for (const [damaged, sentence] of [
    [link.slice(0, -9), "the link is damaged"],
    [link.replace("v1.", "v7."), "the link is of version 7, and this page reads up to 1"],
    ["#v1.eJw", "the link is damaged"],
  ]) {
    await visit.page.evaluate((hash) => (location.hash = hash), damaged);
    await visit.alerts(sentence);
    await visit.role("button", "Dismiss").click();
    assert.equal(await visit.share("plan.toml"), plan);
  }
  await visit.close();
  const stranger = await browser.open({ link: link.slice(0, -9) });
  await stranger.alerts("the link is damaged");
  await stranger.close();
});

test("plans are dropped as TOML and as JSON, and rubbish is refused with its place", async () => {
  const visit = await browser.open();
  await visit.empty();
  await visit.drop("plan", alice);
  await visit.verdicts("1 refused");
  const [toml, json] = [await visit.share("plan.toml"), await visit.share("JSON")];
  await visit.empty();
  await visit.drop("plan", Buffer.from(json));
  await visit.verdicts("1 refused");
  assert.equal(await visit.share("plan.toml"), toml);
  for (const [bytes, sentence] of [
    [[137, 80, 78, 71, 13, 10], "line 1, column 1: `x` is no plan: this is no UTF-8"],
    [
      [...Buffer.from('[[step]]\npolicy = "alice"\nmemory = 1')],
      "line 3, column 1: `x` is no plan: a policy has no field `memory`",
    ],
    [
      [...Buffer.from('{"step":[{"remove_policy":7}]}')],
      "line 1, column 27: `x` is no plan: `remove_policy`: a whole number stands",
    ],
    [[2, 1, 1], "`x` is no snapshot that can be read: a snapshot of version 2"],
    [[], "`x` is empty"],
  ]) {
    await visit.drop("x", bytes);
    await visit.alerts(sentence);
    assert.equal(await visit.share("plan.toml"), toml);
  }
  await visit.close();
});

test("on a host's state changes are tried, and told apart from what is there", async () => {
  const visit = await browser.open();
  await visit.empty();
  await visit.drop("monday.snapshot", snapshot());
  await visit.reads(visit.role("status", "Verdicts"), "on monday.snapshot");
  await visit.select("alice:bob");
  await visit.reads(visit.role("status", "How many more fit"), "0 more fit");
  const unikernels = visit.role("region", "Domain alice:bob").getByLabel("Unikernels", { exact: true }).first();
  await unikernels.fill("3");
  await visit.verdicts("1 admitted");
  await visit.reads(visit.role("status", "How many more fit"), "2 more fit");
  await visit.role("listitem", "unikernel web").getByRole("button", { name: "Remove" }).click();
  await visit.verdicts("2 admitted");
  await visit.role("button", "Difference").click();
  const difference = visit.page.getByRole("region", { name: /^Difference/ });
  await visit.reads(difference, "alice:bob:web");
  assert.deepEqual(
    (await visit.share("plan.toml")).split("\n").filter((line) => /^(policy|remove_unikernel|unikernels)/.test(line)),
    ['policy = "alice:bob"', "unikernels = 3", 'remove_unikernel = "alice:bob:web"'],
  );
  assert.deepEqual((await visit.share("Commands")).trim().split("\n").slice(1), [
    "fulmar add-policy alice:bob --unikernels 3 --memory 96 --cpuids 0",
    "fulmar destroy alice:bob:web",
  ]);
  await visit.close();
});

// What a person does on the page, in the order in which somebody would who sees it for the first time.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { start } from "./browser.mjs";

const browser = await start();
after(() => browser.end());

/** Types a value into a field of the policy. */
async function policy(visit, field, value) {
  await visit.page.locator("section.domain").getByLabel(field, { exact: true }).first().fill(value);
}

/** Adds a domain below the one that is selected. */
async function addDomain(visit, above, label) {
  await visit.select(above);
  await visit.role("button", "+ Add a domain").click();
  await visit.page.getByLabel(/^New domain in /).fill(label);
  await visit.page.keyboard.press("Enter");
  await visit.role("region", `Domain ${above}:${label}`).waitFor();
}

/** Adds a unikernel to the domain that is selected, under a name. */
async function addUnikernel(visit, label, count) {
  await visit.role("button", "+ Add a unikernel").click();
  const item = visit.role("listitem", "unikernel unikernel");
  await item.getByLabel("Name", { exact: true }).fill(label);
  await visit.page.keyboard.press("Enter");
  const named = visit.role("listitem", `unikernel ${label}`);
  await named.waitFor();
  if (count) await named.getByLabel("Count", { exact: true }).fill(String(count));
  await visit.page.keyboard.press("Tab");
}

test("the story of Alice, Bob and Charlie, from an empty page", async () => {
  const visit = await browser.open();
  await visit.empty();
  await visit.page.getByLabel(/^The first domain/).fill("alice");
  await visit.page.keyboard.press("Enter");
  await visit.role("region", "Domain alice").waitFor();
  await policy(visit, "Unikernels", "2");
  await policy(visit, "Memory", "256 MiB");
  for (const label of ["bob", "charlie"]) {
    await addDomain(visit, "alice", label);
    await policy(visit, "Unikernels", "2");
    await policy(visit, "Memory", "128 MiB");
  }
  await visit.verdicts("3 admitted");

  // Each of both may run two, and both together too: so she handed on more than she has.
  await visit.select("alice");
  await visit.reads(visit.role("group", "Handed on: unikernels"), "4");
  await visit.select("alice:bob");
  await addUnikernel(visit, "web");
  await visit.verdicts("4 admitted");
  await visit.select("alice:charlie");
  await visit.reads(visit.role("status", "How many more fit"), /1 more fits/);
  await addUnikernel(visit, "mail", 2);
  await visit.verdicts("5 admitted");
  await visit.verdicts("1 refused");

  // The limit in the way is hers, and the sentence leads there.
  const reasons = visit.role("listitem", "unikernel mail").getByRole("list", { name: "Reasons" });
  await visit.reads(reasons, "unikernels: `alice` allows 2, 2 in use, 1 asked: over by 1");
  await reasons.getByRole("button", { name: "alice" }).click();
  await visit.role("region", "Domain alice").waitFor();
  await visit.reads(visit.page.getByRole("group", { name: "Unikernels", exact: true }), "2 of 2");

  // Two undos take the count and the wish back; redo brings them again.
  await visit.role("button", "Undo").click();
  await visit.role("status", "Verdicts").getByText("refused").waitFor({ state: "detached" });
  await visit.verdicts("5 admitted");
  await visit.role("button", "Redo").click();
  await visit.verdicts("1 refused");
  await visit.close();
});

test("a wish that is refused names every limit, each with the domain that binds", async () => {
  const visit = await browser.open();
  await visit.empty();
  await visit.drop(
    "wish.toml",
    Buffer.from(`
[[step]]
policy = "alice"
unikernels = 1
memory_mib = 16
cpuids = "0"

[[step]]
policy = "alice:bob"
unikernels = 1
memory_mib = 8
cpuids = "0"

[[step]]
unikernel = "alice:bob:web"
memory_mib = 32
cpuids = "1"
bridges = ["dmz"]
`),
  );
  await visit.verdicts("1 refused");
  await visit.select("alice:bob");
  const reasons = visit.role("listitem", "unikernel web").getByRole("list", { name: "Reasons" });
  await visit.reads(reasons, "memory: `alice` allows 16 MiB, 0 in use, 32 asked: over by 16 MiB");
  const sentences = await reasons.getByRole("listitem").allInnerTexts();
  assert.equal(sentences.length, 6, sentences.join("\n"));
  const links = await reasons.getByRole("button").allInnerTexts();
  assert.deepEqual(new Set(links.map((link) => link.trim())), new Set(["alice", "alice:bob"]));
  await reasons.getByRole("button", { name: "alice", exact: true }).first().click();
  await visit.role("region", "Domain alice").waitFor();
  await visit.close();
});

test("what a domain above has spent cannot be spent again below", async () => {
  const visit = await browser.open();
  await visit.empty();
  const policy = (domain, unikernels) => `[[step]]
policy = "${domain}"
unikernels = ${unikernels}
memory_mib = 64
cpuids = "0"
`;
  const delegations = [policy("alice", 2), policy("alice:bob", 2), policy("alice:bob:x", 1), policy("alice:bob:y", 1)];
  const web = `[[step]]
unikernel = "alice:web"
memory_mib = 8
cpuids = "0"
`;
  await visit.drop("before.toml", Buffer.from(delegations.join("")));
  await visit.verdicts("4 admitted");
  await visit.select("alice:bob");
  const handedOn = visit.role("group", "Handed on: unikernels");
  await visit.reads(handedOn, "All of it can be spent at the same time.");
  // Both of his together are within his own limit, but Alice herself runs one of the two.
  await visit.drop("after.toml", Buffer.from([...delegations, web].join("")));
  await visit.verdicts("5 admitted");
  await visit.select("alice:bob");
  await visit.reads(handedOn, /Not all of it at the same time.*`?alice`? leaves 1.*In full at once: x or y/s);
  await visit.close();
});

test("wrong input says why beside the field, and changes nothing", async () => {
  const visit = await browser.open();
  await visit.select("alice:bob");
  const before = await visit.share("plan.toml");
  const memory = visit.role("region", "Domain alice:bob").getByLabel("Memory", { exact: true }).first();
  for (const [typed, sentence] of [
    ["much", "`much` is no size: write it like `512`, `512 MiB` or `1.5 GiB`"],
    ["9007199254740992", "the amount 9007199254740992 is too large: at most 9007199254740991"],
  ]) {
    await memory.fill(typed);
    await visit.alerts(sentence);
    const beside = visit.page.locator(`[id="${await memory.getAttribute("aria-describedby")}"]`);
    await visit.reads(beside, sentence);
  }
  await visit.page.keyboard.press("Escape");
  assert.equal(await memory.inputValue(), "128 MiB");
  await visit.role("tree", "Domains").focus();
  await visit.page.keyboard.press("F2");
  await visit.page.keyboard.insertText("bob!");
  await visit.page.keyboard.press("Enter");
  await visit.alerts("the label `bob!` contains `!`: only a-z, 0-9, `-` and `.` are allowed");
  await visit.page.keyboard.press("Escape");
  assert.equal(await visit.share("plan.toml"), before);
  await visit.close();
});

test("everything is done by keyboard alone", async () => {
  const visit = await browser.open();
  await visit.empty();
  const { keyboard } = visit.page;
  const press = async (...keys) => {
    for (const key of keys) await keyboard.press(key);
  };
  const add = async (label) => {
    await visit.role("tree", "Domains").press("+");
    await keyboard.insertText(label);
    await press("Enter");
    await visit.page
      .locator(`[role="treeitem"][id$=":${label}"][aria-selected="true"], [id="row-${label}"][aria-selected="true"]`)
      .waitFor();
  };
  const hasFocus = (selector) =>
    visit.page.waitForFunction((selector) => document.activeElement?.closest(selector), selector);
  await add("alice");
  await add("bob");
  await hasFocus('[role="tree"]');
  await press("ArrowUp");
  await add("charlie");
  // Enter leads to the policy, an arrow makes a number larger, and Tab goes on.
  await hasFocus('[role="tree"]');
  await press("Enter");
  await hasFocus("section.domain input");
  await keyboard.press("Control+a");
  await keyboard.insertText("1");
  await press("ArrowUp", "ArrowUp");
  await visit.role("tree", "Domains").focus();
  await visit.reads(visit.role("list", "Steps"), "3 unikernels");
  // Rename, duplicate, move the copy into the domain before it, remove it, and take everything back.
  await press("F2");
  await hasFocus("input");
  await keyboard.press("Control+a");
  await keyboard.insertText("carl");
  await press("Enter");
  await visit.row("alice:carl").waitFor();
  await press("Control+d");
  await visit.row("alice:carl-2").waitFor();
  await press("Alt+ArrowRight");
  await visit.row("alice:carl:carl-2").waitFor();
  await press("Delete");
  await visit.row("alice:carl:carl-2").waitFor({ state: "detached" });
  const steps = await visit.steps();
  assert.deepEqual(
    steps.map((step) => step.replace(/, .*/, "")),
    ["Step 1: policy alice", "Step 2: policy alice:bob", "Step 3: policy alice:carl"],
  );
  await press("Control+z", "Control+z", "Control+z", "Control+z");
  await visit.row("alice:charlie").waitFor();
  await press("Control+Shift+z");
  await visit.row("alice:carl").waitFor();
  await press("?");
  await visit.role("dialog", "Keys").waitFor();
  await press("Escape");
  await visit.close();
});

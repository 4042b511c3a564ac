// Ten thousand domains and a thousand steps: how long the page keeps somebody waiting who types.
//
// The figures are printed. The bounds are ten times what a quiet machine needs, since this one may be busy: they find what grows
// with the tree, not what got a little slower.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { start } from "./browser.mjs";

const browser = await start();
after(() => browser.end());

const LONGEST_TASK_MS_MAX = 500;
const ANSWER_MS_MAX = 1000;

/** Counts what keeps the page from answering, from now on; the browser tells of tasks of 50 ms and more. */
async function watch(page) {
  await page.evaluate(() => {
    globalThis.tasks = [];
    globalThis.observer ??= new PerformanceObserver((list) => globalThis.tasks.push(...list.getEntries()));
    globalThis.observer.observe({ type: "longtask" });
  });
}

/** The longest task since then, in milliseconds; 0 where each was shorter than 50. */
async function longest(page) {
  // What has just ended is told of a moment later.
  await page.waitForTimeout(200);
  return page.evaluate(() => Math.max(0, ...globalThis.tasks.map((task) => Math.round(task.duration))));
}

test("a long task is seen", async () => {
  const visit = await browser.open();
  await watch(visit.page);
  await visit.page.evaluate(() => {
    setTimeout(() => {
      for (const begin = performance.now(); performance.now() - begin < 120;);
    });
  });
  assert.ok((await longest(visit.page)) >= 120);
  await visit.close();
});

test("a plan of 10,000 domains is typed into", async (t) => {
  const visit = await browser.open();
  await visit.empty();
  const steps = ["[[step]]\npolicy = ':'\nunikernels = 100000\nmemory_mib = 100000\ncpuids = '0-3'\n"];
  for (let domain = 0; domain < 100; domain += 1)
    for (let below = 0; below < 100; below += 1)
      steps.push(`[[step]]\npolicy = 'd${domain}:e${below}'\nunikernels = 4\nmemory_mib = 64\ncpuids = '0'\n`);
  await visit.drop("large.toml", Buffer.from(steps.join("")));
  await visit.page
    .getByRole("status", { name: "Verdicts" })
    .filter({ hasText: "10001 admitted" })
    .waitFor({ timeout: 60_000 });
  await visit.page.waitForTimeout(1000);
  assert.ok((await visit.page.getByRole("treeitem").count()) < 100, "only what is seen is drawn");

  const tree = visit.role("tree", "Domains");
  const rounds = [];
  for (const mib of ["777", "778", "779"]) {
    await tree.focus();
    await watch(visit.page);
    await visit.page.keyboard.press("End");
    await visit.role("region", "Domain d99:e99").waitFor();
    const memory = visit.role("region", "Domain d99:e99").getByLabel("Memory", { exact: true }).first();
    await memory.click();
    await visit.page.keyboard.press("Control+a");
    for (const key of ["Backspace", ...mib]) await visit.page.keyboard.press(key);
    await visit.settled();
    await visit.reads(visit.page.getByRole("group", { name: "Memory", exact: true }), `of ${mib} MiB`);
    await tree.focus();
    for (let press = 0; press < 20; press += 1) await visit.page.keyboard.press("PageUp");
    rounds.push(await longest(visit.page));
  }
  // Another process may take the processor away at any time, and the least of some is the page's own.
  const task_ms = Math.min(...rounds);
  t.diagnostic(
    `10,000 domains: the longest task while typing took ${task_ms} ms, at best of ${rounds} (0 is below 50)`,
  );
  assert.ok(task_ms < LONGEST_TASK_MS_MAX, `${task_ms} ms`);
  await visit.close();
});

test("a plan of 1,000 steps answers at once", async (t) => {
  const visit = await browser.open();
  await visit.empty();
  const steps = Array.from(
    { length: 1000 },
    (_, step) => `[[step]]\nunikernel = 'd${step % 50}:w${step}'\nmemory_mib = 32\ncpuids = '0'\n`,
  );
  await visit.drop("steps.toml", Buffer.from(steps.join("")));
  await visit.verdicts("1000 admitted");
  await watch(visit.page);
  await visit.select("d0");
  const memory = visit.role("listitem", "unikernel w0").getByLabel("Memory", { exact: true });
  const answers = [];
  for (const mib of ["33", "34", "35", "36", "37"]) {
    const begin = performance.now();
    await memory.fill(mib);
    const sum = 32 * 19 + Number(mib);
    await visit.reads(visit.page.getByRole("group", { name: "Memory", exact: true }), `${sum} MiB in use`);
    answers.push(performance.now() - begin);
  }
  const took = await visit.role("status", "Verdicts").getAttribute("title");
  const best = Math.min(...answers);
  t.diagnostic(
    `1,000 steps: ${best.toFixed(0)} ms from the key to the new figure, at best of ${answers.length}; ${took}`,
  );
  t.diagnostic(`1,000 steps: the longest task took ${await longest(visit.page)} ms (0 is below 50)`);
  assert.ok(best < ANSWER_MS_MAX, `${best} ms`);
  await visit.close();
});

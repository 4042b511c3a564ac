// Who may look at it, and where: by any eye or ear (axe, WCAG 2 A and AA), in light and dark, and without a network.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, test } from "node:test";
import { ROOT, start } from "./browser.mjs";

const browser = await start();
after(() => browser.end());

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const alice = await readFile(join(ROOT, "tests/plans/alice.toml"));

async function violations(page) {
  // Past the page's own policy, which lets no script in.
  await page.evaluate(axe);
  const found = await page.evaluate(() =>
    globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }),
  );
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} ${target}: ${failureSummary}`),
  );
}

const STATES = {
  "the empty page": async (visit) => visit.empty(),
  "the story": async (visit) => visit.verdicts("1 refused"),
  "a domain with a refusal, opened up": async (visit) => {
    await visit.empty();
    await visit.drop("alice.toml", alice);
    await visit.verdicts("1 refused");
    await visit.select("alice:charlie");
    await visit.page.getByRole("button", { name: "More of unikernel mail", exact: true }).click();
    await visit.page.getByRole("region", { name: "Policy" }).getByLabel("Memory", { exact: true }).fill("much");
    await visit.alerts("`much` is no size");
  },
  "the plan to take away": async (visit) => {
    await visit.role("button", "Share…").click();
    await visit.role("dialog", "Share the plan").waitFor();
  },
};

for (const colorScheme of ["light", "dark"])
  for (const [width, height] of [
    [1400, 900],
    [360, 740],
  ])
    for (const [state, reach] of Object.entries(STATES)) {
      if (width < 700 && !["the empty page", "the story"].includes(state)) continue;
      test(`${state} is open to everybody: ${colorScheme}, ${width} wide`, async () => {
        const visit = await browser.open({ colorScheme, viewport: { width, height }, reducedMotion: "reduce" });
        await reach(visit);
        await visit.page.waitForTimeout(300);
        assert.deepEqual(await violations(visit.page), []);
        const overflow = await visit.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(overflow <= 0, `the page is ${overflow} px wider than the window`);
        await visit.close();
      });
    }

test("after a first visit the page works without a network", async () => {
  const visit = await browser.open();
  await visit.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await visit.page.waitForFunction(async () => (await caches.keys()).length > 0);
  await visit.page.reload();
  await visit.context.setOffline(true);
  await visit.page.reload();
  await visit.verdicts("1 refused");
  await visit.select("alice:bob");
  await visit.role("region", "Domain alice:bob").getByLabel("Memory", { exact: true }).first().fill("2 GiB");
  await visit.verdicts("2 refused");
  await visit.close();
});

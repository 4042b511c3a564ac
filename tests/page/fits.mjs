// What the page says of plans: for each of a list on standard input, one line with what it came to, how many more fit where, why no
// more, and the plan as the page hands it out.

import { readFileSync } from "node:fs";
import { start } from "./browser.mjs";

const browser = await start();
try {
  for (const { plan, domain, memory_mib } of JSON.parse(readFileSync(0, "utf8"))) {
    const visit = await browser.open();
    await visit.empty();
    await visit.drop("plan.toml", Buffer.from(plan));
    const verdicts = visit.role("status", "Verdicts").filter({ hasText: /admitted|refused/ });
    await verdicts.waitFor();
    await visit.select(domain);
    const wish = visit.page.getByRole("region", { name: "How many more would fit?" });
    await wish.getByLabel("Memory of each", { exact: true }).fill(`${memory_mib} MiB`);
    await visit.settled();
    const result = visit.role("status", "How many more fit");
    const read = await result.innerText();
    const sentences = await result.getByRole("list", { name: "Why no more fit" }).getByRole("listitem").allInnerTexts();
    const answer = {
      verdicts: (await verdicts.innerText()).replace(/\s+/g, " "),
      count: Number(/(\d+)\s*more fits?\b/.exec(read)?.[1]),
      sentences: sentences.map((sentence) => sentence.trim()),
      toml: await visit.share("plan.toml"),
      commands: await visit.share("Commands"),
    };
    await visit.close();
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
} finally {
  await browser.end();
}

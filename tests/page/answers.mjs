// Asks the built page's own worker, and so the module that is in the page: one request a line of standard input, as JSON text; an
// empty line begins a new tree. Writes one line for each: the answer as JSON text, or the error that was thrown.

import { readFileSync } from "node:fs";
import { start } from "./browser.mjs";

const lines = readFileSync(0, "utf8").split("\n").slice(0, -1);

/** Requests that meet the same tree go together. */
const trees = [[]];
for (const line of lines)
  if (line === "") trees.push([]);
  else trees.at(-1).push(line);

const browser = await start();
try {
  const visit = await browser.open();
  const answers = await visit.page.evaluate(async (trees) => {
    const loaded = performance.getEntriesByType("resource").map((entry) => entry.name);
    const worker = new Worker(
      loaded.find((name) => /\/worker-[^/]*\.js$/.test(name)),
      { type: "module" },
    );
    const answers = [];
    for (const lines of trees) {
      const requests = lines.map((line) => JSON.parse(line));
      const { data } = await new Promise((resolve) => {
        worker.onmessage = resolve;
        worker.postMessage({ kind: "requests", requests });
      });
      if (data.kind !== "said") throw new Error(JSON.stringify(data));
      answers.push(
        data.said.map((one) =>
          JSON.stringify("response" in one ? one.response : { code: one.code, message: one.problem }),
        ),
      );
    }
    worker.terminate();
    return answers;
  }, trees);
  await visit.close();
  // An empty line is answered by one.
  process.stdout.write(answers.map((list) => list.map((answer) => `${answer}\n`).join("")).join("\n"));
} finally {
  await browser.end();
}

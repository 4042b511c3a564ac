// Asks the package for Node: one request a line of standard input, as JSON text; an empty line begins a new tree.
// Writes one line for each: the answer as JSON text, or the `Error` that was thrown.
import { readFileSync } from "node:fs";
import { PolicyTree } from "../../wasm/dist/node/fulmar.js";

let tree = new PolicyTree();

function answer(line) {
  if (line === "") {
    tree.free();
    tree = new PolicyTree();
    return "";
  }
  const request = JSON.parse(line);
  try {
    return JSON.stringify(tree.ask(request));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return JSON.stringify({ code: error.code, message: error.message });
  }
}

const lines = readFileSync(0, "utf8").split("\n").slice(0, -1);
process.stdout.write(lines.map((line) => answer(line) + "\n").join(""));

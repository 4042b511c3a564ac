// Previews a delegation plan with policy.wasm in plain JavaScript: no package, no imports.
//
//     node preview.mjs policy.wasm plan.json
//
// A plan is a JSON array of steps (wasm/PROTOCOL.md, "Steps"). Exit status 0 when all are admitted, 3 when one is refused.

import { readFile } from "node:fs/promises";

/** One instance of the module, holding one tree. */
class Policy {
  static #ABI_VERSION = 1;
  static #JSON = 1;

  static async load(bytes) {
    const { instance } = await WebAssembly.instantiate(bytes, {});
    return new Policy(instance.exports);
  }

  constructor(exports) {
    const version = exports.fulmar_abi_version();
    if (version !== Policy.#ABI_VERSION) throw new Error(`policy.wasm speaks version ${version}`);
    this.exports = exports;
  }

  /** Asks a request, and returns the answer. */
  ask(request) {
    const { fulmar_alloc, fulmar_call, fulmar_free } = this.exports;
    const bytes = new TextEncoder().encode(JSON.stringify(request));
    const address = fulmar_alloc(bytes.length) >>> 0;
    if (address === 0) throw new Error(`no memory for a request of ${bytes.length} bytes`);
    this.#memory(address, bytes.length).set(bytes);
    let answer;
    try {
      answer = BigInt.asUintN(64, fulmar_call(address, bytes.length, Policy.#JSON));
    } catch (trap) {
      // The instance is done with: make a new one, and restore what you know.
      throw new Error(`policy.wasm failed: ${this.#panic() || trap.message}`);
    }
    const text = this.#text(answer);
    fulmar_free(Number(answer >> 32n));
    fulmar_free(address);
    const response = JSON.parse(text);
    if (response.malformed) throw new Error(response.malformed.message);
    return response;
  }

  #panic() {
    return this.#text(BigInt.asUintN(64, this.exports.fulmar_panic()));
  }

  /** The text at an address in the upper and of a length in the lower half. */
  #text(both) {
    return new TextDecoder().decode(this.#memory(Number(both >> 32n), Number(both & 0xffffffffn)));
  }

  /** A view that is only good until the next call: memory may grow, and move. */
  #memory(address, length) {
    return new Uint8Array(this.exports.memory.buffer, address, length);
  }
}

process.on("uncaughtException", (error) => {
  console.error(`error: ${error.message}`);
  process.exit(1);
});
if (process.argv.length !== 4) throw new Error("usage: node preview.mjs policy.wasm plan.json");
const [wasm, plan] = await Promise.all(process.argv.slice(2).map((path) => readFile(path)));
const policy = await Policy.load(wasm);
const steps = JSON.parse(plan);
const { verdicts } = policy.ask({ plan: { steps, after_refusal: "go_on", look_at: ":" } }).plan;
verdicts.forEach((verdict, position) => {
  const [kind, step] = Object.entries(steps[position])[0];
  const what = `${kind} ${step.name ?? step.domain}`;
  console.log(verdict.refused ? `refused: ${what}` : `admitted: ${what}`);
  for (const { sentence } of verdict.refused?.reasons ?? []) console.log(`  ${sentence}`);
});
process.exitCode = verdicts.every((verdict) => verdict.admitted) ? 0 : 3;

// How long the package for Node takes with 100,000 unikernels in its tree, as rows of a table: run by `cargo xtask bench wasm`.
// Each figure is the shortest of many rounds: whatever else runs on the machine only makes a round longer.
import { PolicyTree } from "../../wasm/dist/node/fulmar.js";

const UNIKERNELS = 100_000;
const wide = { unikernels: 1e6, memory_mib: 1e9, cpuids: [0, 1, 2, 3], bridges: [] };
const small = { memory_mib: 32, cpuids: [0] };
const domain = (n) => `o${n % 10}:p${n % 1000}`;

function fastest(rounds, calls, call) {
  let best = Infinity;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    for (let n = 0; n < calls; n++) call(n);
    best = Math.min(best, (performance.now() - start) / calls);
  }
  return best < 1 ? `${(best * 1000).toFixed(2)} µs` : `${best.toFixed(1)} ms`;
}

const facts = [{ policy: { domain: ":", policy: wide } }];
for (let n = 0; n < 1000; n++) facts.push({ policy: { domain: domain(n), policy: wide } });
for (let n = 0; n < UNIKERNELS; n++) facts.push({ unikernel: { name: `${domain(n)}:u${n}`, unikernel: small } });
const tree = new PolicyTree();
if (!tree.ask({ load: { facts } }).admitted) throw new Error("the facts contradict each other");

const check = (unikernel) => (n) => tree.ask({ check_unikernel: { name: `${domain(n)}:new${n}`, unikernel } });
const plan = (n) => {
  const child = `${domain(n)}:team`;
  const names = [0, 1, 2, 3, 4, 5].map((number) => `${child}:u${number}`);
  const steps = [{ insert_policy: { domain: child, policy: wide } }];
  for (const name of names) steps.push({ insert_unikernel: { name, unikernel: small } });
  for (const name of names.slice(0, 3)) steps.push({ remove_unikernel: { name } });
  return tree.ask({ plan: { steps, after_refusal: "stop", look_at: child } });
};
const bytes = tree.snapshot();
const other = new PolicyTree();
for (const [what, time] of [
  ["check", fastest(300, 100, check(small))],
  ["check that is refused", fastest(300, 100, check({ memory_mib: 32, cpuids: [0, 1, 2, 3, 4] }))],
  ["plan of ten steps", fastest(300, 20, plan)],
  ["snapshot taken", fastest(10, 1, () => tree.snapshot())],
  ["snapshot restored", fastest(10, 1, () => other.restore(bytes))],
]) {
  console.log(`| ${what} | ${time} |`);
}

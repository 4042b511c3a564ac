/** What the tests read with: the rules as Node runs them, built by `cargo xtask wasm` as the page's are. */

import { PolicyTree } from "../../../wasm/dist/node/fulmar.js";
import type { Plan, Step } from "../plan/plan";
import { join } from "../plan/names";
import { type MakeTree } from "./base";
import { type Read, tell } from "./problem";

export const makeTree: MakeTree = () => new PolicyTree();

/** What was read. */
export function ok<T>(read: Read<T>): T {
  if ("problem" in read) throw new Error(tell(read.problem));
  return read.ok;
}

/** The sentence, with its place. */
export function problem(read: Read<unknown>): string {
  return "problem" in read ? tell(read.problem) : "it was read";
}

/** The same numbers for the same seed: mulberry32. */
export function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const DOMAINS = ["alice", "alice:bob", "alice:charlie", "alice:bob:dora", "erin", ":"];
const LABELS = ["web", "web-1", "web-2", "mail", "db.1"];

/** A plan with whatever a plan may have, sensible or not; few names, so that steps meet. */
export function randomPlan(below: (bound: number) => number, steps: number): Plan {
  const one = <T>(choices: readonly T[]): T => choices[below(choices.length)] as T;
  const some = <T>(choices: readonly T[]) => choices.filter(() => below(2) === 0);
  const name = () => join(one(DOMAINS), one(LABELS));
  const step = (): Step => {
    switch (below(7)) {
      case 0:
      case 1: {
        const [unikernels, memory_mib, block_mib] = [below(9), below(9) * 64, one([null, 0, 512])];
        const policy = {
          unikernels,
          memory_mib,
          block_mib,
          cpuids: some([0, 1, 2, 8]),
          bridges: some(["br0", "service"]),
        };
        return { kind: "policy", domain: one(DOMAINS), policy };
      }
      case 2:
      case 3: {
        const block_devices = some(["Data", "log"]).map((device) => ({
          device,
          host: one([device.toLowerCase(), "web"]),
          sector_size: one([null, 512, 4096]),
        }));
        const bridges = some(["service", "net1"]).map((device) => ({
          device,
          bridge: one([device, "br0"]),
          mac: one([null, "00:80:41:0a:0b:0c"]),
        }));
        const unikernel = { memory_mib: 1 + below(200), cpuids: [0, ...some([1, 2])], block_devices, bridges };
        return { kind: "unikernel", name: name(), count: one([null, null, 1, 3]), unikernel };
      }
      case 4:
        return { kind: "block", name: name(), size_mib: 1 + below(500) };
      case 5:
        return { kind: "remove_policy", domain: one(DOMAINS) };
      default:
        return { kind: one(["remove_unikernel", "remove_block"] as const), name: name() };
    }
  };
  return { base: null, steps: Array.from({ length: steps }, step) };
}

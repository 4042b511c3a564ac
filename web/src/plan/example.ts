/**
 * The story of Alice, Bob and Charlie: what somebody sees who opens the page for the first time.
 *
 * The same steps as `tests/plans/alice.toml`, which a test holds them to: what is told there is true here.
 */

import type { Plan } from "./plan";

const service = { device: "service", bridge: "service", mac: null };

export const EXAMPLE: Plan = {
  base: null,
  steps: [
    {
      kind: "policy",
      domain: "alice",
      policy: { unikernels: 2, memory_mib: 256, block_mib: 1024, cpuids: [0, 1], bridges: ["service"] },
    },
    {
      kind: "policy",
      domain: "alice:bob",
      policy: { unikernels: 2, memory_mib: 128, block_mib: null, cpuids: [0], bridges: ["service"] },
    },
    {
      kind: "policy",
      domain: "alice:charlie",
      policy: { unikernels: 2, memory_mib: 128, block_mib: null, cpuids: [1], bridges: [] },
    },
    { kind: "block", name: "alice:data", size_mib: 256 },
    {
      kind: "unikernel",
      name: "alice:bob:web",
      count: null,
      unikernel: { memory_mib: 64, cpuids: [0], block_devices: [], bridges: [service] },
    },
    {
      kind: "unikernel",
      name: "alice:charlie:mail",
      count: 2,
      unikernel: { memory_mib: 32, cpuids: [1], block_devices: [], bridges: [] },
    },
    { kind: "remove_unikernel", name: "alice:bob:web" },
    {
      kind: "unikernel",
      name: "alice:charlie:mail-2",
      count: null,
      unikernel: { memory_mib: 32, cpuids: [1], block_devices: [], bridges: [] },
    },
  ],
};

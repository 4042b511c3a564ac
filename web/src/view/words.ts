/**
 * Steps in words, the same as `fulmar preview` has.
 */

import type { Policy, Unikernel } from "fulmar-browser";
import { writeCpus } from "../formats/sets";
import { labelOf } from "../plan/names";
import type { Step } from "../plan/plan";
import { counted } from "./values";

/** What a step does, and to what. */
export function subject(step: Step): string {
  switch (step.kind) {
    case "policy":
      return `policy ${step.domain}`;
    case "unikernel":
      // As a shell writes it, and expands it.
      return step.count === null ? `unikernel ${step.name}` : `unikernels ${step.name}-{1..${step.count}}`;
    case "block":
      return `block ${step.name}`;
    case "remove_policy":
      return `remove policy ${step.domain}`;
    case "remove_unikernel":
      return `remove unikernel ${step.name}`;
    case "remove_block":
      return `remove block ${step.name}`;
  }
}

/** The figures of a step; of many unikernels those of each. */
export function details(step: Step): string {
  switch (step.kind) {
    case "policy":
      return ofPolicy(step.policy);
    case "unikernel":
      return (step.count === null ? "" : "each ") + ofUnikernel(step.unikernel);
    case "block":
      return `${step.size_mib} MiB`;
    default:
      return "";
  }
}

export function ofPolicy({ unikernels, memory_mib, block_mib, cpuids, bridges }: Policy): string {
  const block = block_mib === null ? "" : `, ${block_mib} MiB block`;
  const names = bridges.length === 0 ? "" : `; bridges ${bridges.join(", ")}`;
  return `${counted(unikernels, "unikernel")}, ${memory_mib} MiB${block}; CPUs ${cpus(cpuids)}${names}`;
}

export function ofUnikernel({ memory_mib, cpuids, block_devices, bridges }: Unikernel): string {
  const blocks = block_devices.map(({ device, host }) => `; block ${host ?? device}`);
  const nets = bridges.map(({ device, bridge }) => `; bridge ${bridge ?? device}`);
  return `${memory_mib} MiB; CPUs ${cpus(cpuids)}${[...blocks, ...nets].join("")}`;
}

export function cpus(cpuids: readonly number[]): string {
  // Two that follow each other are no run.
  const runs = writeCpus(cpuids).replace(/\b(\d+)-(\d+)\b/g, (run, first: string, last: string) =>
    Number(last) === Number(first) + 1 ? `${first},${last}` : run,
  );
  return runs.replace(/,/g, ", ") || "none";
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** What a domain is called beside others that are below the same one. */
export function below(domain: string, above: string): string {
  return above === ":" ? domain : domain.startsWith(`${above}:`) ? domain.slice(above.length + 1) : labelOf(domain);
}

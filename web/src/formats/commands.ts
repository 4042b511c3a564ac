/**
 * The steps of a plan as commands of the daemon's command line.
 *
 * Owns their words, which are `host/src/cli/options.rs`'s, and what a shell has to be told. A plan does not say which image a
 * unikernel runs: that is for the person to fill in.
 */

import type { Policy, Unikernel } from "fulmar-browser";
import type { Plan, Step, UnikernelStep } from "../plan/plan";
import { writeBlockDevice, writeNetDevice } from "./devices";
import { printable } from "./problem";
import { writeCpus } from "./sets";

/** One command a line, and the lines that a person has to look at. */
export function writeCommands(plan: Plan): string {
  const lines = plan.steps.map(command);
  const image = plan.steps.some((step) => step.kind === "unikernel") ? ["IMAGE=unikernel.hvt  # the image to run"] : [];
  return [...heading(plan), ...image, ...lines].map((line) => `${line}\n`).join("");
}

function heading({ base }: Plan): string[] {
  return base ? [`# For the host whose state was \`${printable(base.title)}\`.`] : [];
}

function command(step: Step): string {
  switch (step.kind) {
    case "policy":
      return ["fulmar add-policy", word(step.domain), ...policyOptions(step.policy)].join(" ");
    case "unikernel":
      return create(step);
    case "block":
      return `# A block device \`${step.name}\` of ${step.size_mib} MiB: the daemon has no command for it yet.`;
    case "remove_policy":
      return `fulmar remove-policy ${word(step.domain)}`;
    case "remove_unikernel":
      return `fulmar destroy ${word(step.name)}`;
    case "remove_block":
      return `# No block device \`${step.name}\` any more: the daemon has no command for it yet.`;
  }
}

function policyOptions({ unikernels, memory_mib, block_mib, cpuids, bridges }: Policy): string[] {
  return [
    `--unikernels ${unikernels} --memory ${memory_mib}`,
    ...(block_mib === null ? [] : [`--block ${block_mib}`]),
    ...(cpuids.length === 0 ? [] : [`--cpuids ${writeCpus(cpuids)}`]),
    ...(bridges.length === 0 ? [] : [`--bridges ${word(bridges.join(","))}`]),
  ];
}

function create({ name, count, unikernel }: UnikernelStep): string {
  const options = unikernelOptions(unikernel).join(" ");
  if (count === null) return `fulmar create ${word(name)} "$IMAGE" ${options}`;
  return `for n in $(seq ${count}); do fulmar create ${word(name)}-"$n" "$IMAGE" ${options}; done`;
}

function unikernelOptions({ memory_mib, cpuids, block_devices, bridges }: Unikernel): string[] {
  return [
    `--memory ${memory_mib} --cpuid ${writeCpus(cpuids)}`,
    ...block_devices.map((device) => `--block ${word(writeBlockDevice(device))}`),
    ...bridges.map((device) => `--net ${word(writeNetDevice(device))}`),
  ];
}

/** As a shell takes it for one word, and no option: no name begins with `-`. */
function word(text: string): string {
  return /^[\w:@%+=./,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

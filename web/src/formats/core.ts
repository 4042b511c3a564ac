/**
 * What the rules say of a single value: nothing, or why it is none, in their own words.
 *
 * Owns how they are asked: by a question that needs the value and nothing else. So no grammar of names, bridges or addresses is
 * written a second time here, and every sentence is the one of the command line.
 */

import type {
  BlockDeviceAsked,
  NetDeviceAsked,
  PolicyAsked,
  PolicyTree,
  Request,
  UnikernelAsked,
} from "fulmar-browser";

/** A tree of the rules; its answers do not depend on what it holds, and nothing is put into it. */
export type Core = Pick<PolicyTree, "ask">;

/** Why the rules cannot read a request; null where they can, whatever they answer. */
export function refusal(core: Core, request: Request): string | null {
  try {
    core.ask(request);
    return null;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "malformed") return error.message;
    throw error;
  }
}

/** Why the rules cannot read a value; null where they can. */
export interface Words {
  path(text: string): string | null;
  name(text: string): string | null;
  policy(policy: Partial<PolicyAsked>): string | null;
  unikernel(unikernel: Partial<UnikernelAsked>): string | null;
  blockDevice(device: Partial<BlockDeviceAsked>): string | null;
  netDevice(device: Partial<NetDeviceAsked>): string | null;
  blockSize(size_mib: number): string | null;
}

/** The rules' words. What a value is about besides is filled in with something that they read. */
export function words(core: Core): Words {
  const ask = (request: Request) => refusal(core, request);
  const unikernel = (unikernel: Partial<UnikernelAsked>) =>
    ask({ check_unikernel: { name: "x", unikernel: { memory_mib: 1, cpuids: [0], ...unikernel } } });
  return {
    path: (domain) => ask({ find_policy: { domain } }),
    name: (name) => ask({ find_unikernel: { name } }),
    policy: (policy) =>
      ask({
        check_policy: { domain: ":", policy: { unikernels: 0, memory_mib: 0, cpuids: [], bridges: [], ...policy } },
      }),
    unikernel,
    blockDevice: (device) => unikernel({ block_devices: [{ device: "x", ...device }] }),
    netDevice: (device) => unikernel({ bridges: [{ device: "x", ...device }] }),
    blockSize: (size_mib) => ask({ check_block: { name: "x", size_mib } }),
  };
}

/** No words at all: for a step that is only looked at, and asked about as a whole afterwards. */
export const SILENT: Words = {
  path: () => null,
  name: () => null,
  policy: () => null,
  unikernel: () => null,
  blockDevice: () => null,
  netDevice: () => null,
  blockSize: () => null,
};

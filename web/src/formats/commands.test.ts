import { expect, test } from "vitest";
import { block, plan, policy, unikernel, without } from "../plan/fixture";
import { EXAMPLE } from "../plan/example";
import { writeCommands } from "./commands";

test("the story as commands", () => {
  expect(writeCommands(EXAMPLE)).toBe(`IMAGE=unikernel.hvt  # the image to run
fulmar add-policy alice --unikernels 2 --memory 256 --block 1024 --cpuids 0-1 --bridges service
fulmar add-policy alice:bob --unikernels 2 --memory 128 --cpuids 0 --bridges service
fulmar add-policy alice:charlie --unikernels 2 --memory 128 --cpuids 1
# A block device \`alice:data\` of 256 MiB: the daemon has no command for it yet.
fulmar create alice:bob:web "$IMAGE" --memory 64 --cpuid 0 --net service
for n in $(seq 2); do fulmar create alice:charlie:mail-"$n" "$IMAGE" --memory 32 --cpuid 1; done
fulmar destroy alice:bob:web
fulmar create alice:charlie:mail-2 "$IMAGE" --memory 32 --cpuid 1
`);
});

test("what removes and what has devices", () => {
  const step = unikernel("web");
  if (step.kind !== "unikernel") throw new Error("it is one");
  const devices = {
    block_devices: [{ device: "data", host: "disk", sector_size: 4096 }],
    bridges: [{ device: "net0", bridge: "br0", mac: "00:80:41:0a:0b:0c" }],
  };
  const steps = [
    { ...step, unikernel: { ...step.unikernel, ...devices } },
    policy(":"),
    without("web"),
    { kind: "remove_policy", domain: ":" } as const,
    { kind: "remove_block", name: "data" } as const,
  ];
  expect(writeCommands(plan(steps)).split("\n").slice(1, -1)).toEqual([
    'fulmar create web "$IMAGE" --memory 32 --cpuid 0 --block data:disk:4096 --net net0:br0@00:80:41:0a:0b:0c',
    "fulmar add-policy : --unikernels 2 --memory 64 --cpuids 0",
    "fulmar destroy web",
    "fulmar remove-policy :",
    "# No block device `data` any more: the daemon has no command for it yet.",
  ]);
});

test("for whom it is stands first, and cannot begin another line", () => {
  const strange = plan([block("data")], [{ block: { name: "x", size_mib: 1 } }]);
  const titled = strange.base && { ...strange, base: { ...strange.base, title: "a\nrm -rf" } };
  expect(titled && writeCommands(titled).split("\n")[0]).toBe("# For the host whose state was `a\\nrm -rf`.");
});

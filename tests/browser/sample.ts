// Compiled, never run: what a caller may write, and what the compiler must not let through.
import { PolicyTree, type Request, type Response, type ExplainedReason, type PolicyAsked } from "../../wasm/dist/browser/fulmar.js";
import init from "../../wasm/dist/browser/fulmar.js";

await init();
const tree = new PolicyTree();
const policy: PolicyAsked = { unikernels: 1, memory_mib: 64, cpuids: [0], bridges: [] };
const answer: Response = tree.ask({ insert_policy: { domain: "alice", policy } });

function reasons(answer: Response): ExplainedReason[] {
  return "refused" in answer ? answer.refused.reasons : [];
}

const asked: Request[] = [
  { check_unikernel: { name: "alice:web", unikernel: { memory_mib: 32, cpuids: [0] } } },
  { insert_block: { name: "alice:data", size_mib: 10 } },
  { plan: { steps: [{ remove_policy: { domain: "alice" } }], after_refusal: "go_on", look_at: ":" } },
  { audit: {} },
];
const sentences: string[] = asked.flatMap((request) => reasons(tree.ask(request)).map((reason) => reason.sentence));

// What was answered can be asked again.
const found = tree.ask({ find_policy: { domain: "alice" } });
if ("policy" in found && found.policy.policy !== null) {
  tree.ask({ insert_policy: { domain: "bob", policy: found.policy.policy } });
}
const everything = tree.ask({ snapshot: {} });
if ("snapshot" in everything) tree.ask({ restore: { snapshot: everything.snapshot.snapshot } });

const bytes: Uint8Array = tree.snapshot();
tree.restore(bytes);

// @ts-expect-error: no such request
tree.ask({ destroy: {} });
// @ts-expect-error: memory is not optional
tree.ask({ insert_unikernel: { name: "web", unikernel: { cpuids: [0] } } });
// @ts-expect-error: a field that is not there
tree.ask({ find_policy: { domain: "alice", more: 1 } });
// @ts-expect-error: an amount is a number
tree.ask({ insert_block: { name: "data", size_mib: "10" } });

export { answer, sentences };

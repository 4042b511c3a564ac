/**
 * A host's state to start from, out of the bytes of `fulmar snapshot`.
 *
 * Owns how the rules are asked for what is in them.
 */

import type { PolicyTree, SnapshotAsked } from "fulmar-browser";
import type { Base } from "../plan/plan";
import { type Read, refused } from "./problem";

/** A new tree that holds nothing. */
export type MakeTree = () => Pick<PolicyTree, "ask" | "restore" | "snapshot" | "free">;

/** The largest snapshot: the largest message of the rules. */
export const SNAPSHOT_BYTES_MAX = 64 * 1024 * 1024;

/** What bytes of a snapshot say. */
export function readSnapshot(bytes: Uint8Array, title: string, makeTree: MakeTree): Read<Base> {
  return restored(title, makeTree, (tree) => tree.restore(bytes));
}

/** What a snapshot as JSON says, as `fulmar --json snapshot` writes it. */
export function readSnapshotJson(snapshot: unknown, title: string, makeTree: MakeTree): Read<Base> {
  return restored(title, makeTree, (tree) => {
    const answer = tree.ask({ restore: { snapshot: snapshot as SnapshotAsked } });
    if ("refused" in answer) throw new Error(answer.refused.reasons.map((reason) => reason.sentence).join("; "));
  });
}

type Tree = ReturnType<MakeTree>;

function restored(title: string, makeTree: MakeTree, restore: (tree: Tree) => void): Read<Base> {
  const tree = makeTree();
  try {
    restore(tree);
    const answer = tree.ask({ snapshot: {} });
    const facts = "snapshot" in answer ? answer.snapshot.snapshot.facts : [];
    return { ok: { title, snapshot: tree.snapshot(), facts } };
  } catch (error) {
    // The rules throw what cannot be read, and what contradicts itself.
    const sentence = error instanceof Error ? error.message : String(error);
    return refused(`\`${title}\` is no snapshot that can be read: ${sentence}`);
  } finally {
    tree.free();
  }
}

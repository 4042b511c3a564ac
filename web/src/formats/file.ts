/**
 * Files that somebody drops on the page, whatever they are.
 *
 * Owns how they are told apart: by what is in them, never by their names. A snapshot begins with its version, a byte that no text
 * begins with; JSON begins with `{`; anything else is read as TOML, and refused as that.
 */

import { PLAN_BYTES_MAX, type Base, type Plan } from "../plan/plan";
import { type MakeTree, SNAPSHOT_BYTES_MAX, readSnapshot, readSnapshotJson } from "./base";
import { readJson } from "./json";
import { type Problem, type Read, placeOf, refused } from "./problem";
import { readToml } from "./toml";

/** What a file holds. */
export type Dropped =
  | { readonly kind: "plan"; readonly plan: Plan }
  /** A host's state, to try the present plan on. */
  | { readonly kind: "base"; readonly base: Base };

/** Text begins with a blank, a line break or something visible, and these come before all of them. */
const VERSION_BYTE_MAX = 8;

/** What a file holds; `title` is its name. */
export function readFile(bytes: Uint8Array, title: string, makeTree: MakeTree): Read<Dropped> {
  const [first] = bytes;
  if (first === undefined) return refused(`\`${title}\` is empty`);
  const bytes_max = first <= VERSION_BYTE_MAX || looksLikeSnapshot(bytes) ? SNAPSHOT_BYTES_MAX : PLAN_BYTES_MAX;
  if (bytes.length > bytes_max) return refused(`\`${title}\` is too large: at most ${bytes_max} bytes`);
  if (first <= VERSION_BYTE_MAX) return based(readSnapshot(bytes, title, makeTree));
  const text = decode(bytes);
  if ("problem" in text) return within(title, text.problem);
  if (looksLikeSnapshot(bytes)) {
    const json = parsed(text.ok);
    return json === undefined ? refused(`\`${title}\` is no JSON`) : based(readSnapshotJson(json, title, makeTree));
  }
  const tree = makeTree();
  try {
    const read = text.ok.trimStart().startsWith("{") ? readJson(text.ok, tree) : readToml(text.ok, tree);
    if ("problem" in read) return within(title, read.problem);
    return { ok: { kind: "plan", plan: { base: null, steps: read.ok } } };
  } finally {
    tree.free();
  }
}

function based(read: Read<Base>): Read<Dropped> {
  return "problem" in read ? read : { ok: { kind: "base", base: read.ok } };
}

function within(title: string, { sentence, place }: Problem): Read<never> {
  return refused(`\`${title}\` is no plan: ${sentence}`, place);
}

/** A snapshot as JSON has its version first. */
function looksLikeSnapshot(bytes: Uint8Array): boolean {
  return /^\s*\{\s*"version"\s*:/.test(new TextDecoder().decode(bytes.subarray(0, 256)));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function decode(bytes: Uint8Array): Read<string> {
  try {
    return { ok: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    const before = beginning(bytes, validUpTo(bytes)) ?? "";
    return refused("this is no UTF-8", placeOf(before, before.length));
  }
}

/** How many bytes can be read before the first one that cannot. */
function validUpTo(bytes: Uint8Array): number {
  let [readable, unreadable] = [0, bytes.length + 1];
  while (unreadable - readable > 1) {
    const middle = (readable + unreadable) >> 1;
    if (beginning(bytes, middle) === null) unreadable = middle;
    else readable = middle;
  }
  return readable;
}

/** The first bytes as text, without a character that is not whole; null where a byte is in none. */
function beginning(bytes: Uint8Array, length: number): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, length), { stream: true });
  } catch {
    return null;
  }
}

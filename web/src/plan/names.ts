/**
 * Names as texts: what is above, what is below, and the one way to write each.
 *
 * Owns the punctuation of names. Whether a text is a name at all, the rules say (`core/src/name.rs`).
 */

import type { Label, Name, Path } from "fulmar-browser";

/** The domain that holds all others, as the rules write it. */
export const ROOT: Path = ":";

/** The longest label, as the rules have it. */
export const LABEL_BYTES_MAX = 63;

/** The longest domain as a text, as the rules have it. */
export const PATH_BYTES_MAX = 189;

/** The one way to write a domain that the rules accept: `:Alice:bob:` is `alice:bob`. */
export function canonicalPath(text: string): Path {
  return small(text.replace(/^:/, "").replace(/:$/, "")) || ROOT;
}

/** The one way to write the name of a unikernel or a block device that the rules accept: `:Alice:web` is `alice:web`. */
export function canonicalName(text: string): Name {
  return small(text.replace(/^:/, ""));
}

/** Of A to Z only: what else has capitals is in no name. */
function small(text: string): string {
  return text.replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase());
}

/** The domain right above a domain, or the one that a unikernel or block device is in; null above the root. */
export function parentOf(name: Path | Name): Path | null {
  if (name === ROOT) return null;
  const colon = name.lastIndexOf(":");
  return colon < 0 ? ROOT : name.slice(0, colon);
}

/** What it is called there; the root has no label. */
export function labelOf(name: Path | Name): Label {
  return name.slice(name.lastIndexOf(":") + 1);
}

/** The labels of a domain, outermost first; none of the root. */
export function labelsOf(domain: Path): Label[] {
  return domain === ROOT ? [] : domain.split(":");
}

/** What is called `label` in `domain`. */
export function join(domain: Path, label: Label): string {
  return domain === ROOT ? label : `${domain}:${label}`;
}

/** Whether `domain` is `above` or lies below it. */
export function isWithin(domain: Path, above: Path): boolean {
  return above === ROOT || domain === above || domain.startsWith(`${above}:`);
}

/** Where `domain`, which is within `from`, comes to lie when `from` becomes `to`. */
export function moved(domain: Path, from: Path, to: Path): Path {
  const below = domain === from ? "" : from === ROOT ? domain : domain.slice(from.length + 1);
  return below === "" ? to : join(to, below);
}

/** Of two domains the one that a walk meets first: label by label, as the rules order them. */
export function comparePaths(left: Path, right: Path): number {
  const [lefts, rights] = [labelsOf(left), labelsOf(right)];
  for (const [depth, label] of lefts.entries()) {
    const order = compareTexts(label, rights[depth] ?? "");
    if (order !== 0) return order;
  }
  return lefts.length - rights.length;
}

/** By the bytes: all names are ASCII. */
export function compareTexts(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The first of `NAME-2`, `NAME-3` … that is not taken. A number that is there already is counted on. */
export function freeName(name: string, isTaken: (name: string) => boolean): string {
  const number = /-(\d{1,9})$/.exec(name);
  const stem = number ? name.slice(0, number.index) : name;
  for (let next = number ? Number(number[1]) + 1 : 2; ; next += 1) {
    const free = `${stem}-${next}`;
    if (!isTaken(free)) return free;
  }
}

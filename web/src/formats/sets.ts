/**
 * Sets as a person types them: CPUs `0-3, 8`, bridges `service, dmz`.
 *
 * Owns the punctuation, which is the command line's (`host/src/cli/value.rs`), with its sentences. Sets come out sorted, each
 * member once.
 */

import { compareTexts } from "../plan/names";
import type { Typed } from "./amount";
import { escaped } from "./problem";

/** The largest CPU id: `CpuId::MAX` of the rules. */
export const CPU_ID_MAX = 8191;

const INTEGER_MAX = 2n ** 64n - 1n;

/** `0-3,8`; blanks after the commas do no harm, and nothing at all means none. */
export function readCpus(text: string): Typed<number[]> {
  const ids = new Set<number>();
  if (text.trim() === "") return { ok: [] };
  for (const run of text.split(",").map((run) => run.trim())) {
    const read = readRun(run);
    if ("problem" in read) return read;
    for (const id of read.ok) ids.add(id);
  }
  return { ok: [...ids].sort((left, right) => left - right) };
}

/** One CPU, `8`, or a run of them, `0-3`. */
function readRun(text: string): Typed<number[]> {
  const dash = text.indexOf("-");
  const [from, to] = dash < 0 ? [text, text] : [text.slice(0, dash), text.slice(dash + 1)];
  const first = readId(from);
  if ("problem" in first) return first;
  const last = readId(to);
  if ("problem" in last) return last;
  if (first.ok > last.ok) return { problem: `\`${text}\` counts down: write \`${last.ok}-${first.ok}\`` };
  return { ok: Array.from({ length: last.ok - first.ok + 1 }, (_, nth) => first.ok + nth) };
}

function readId(text: string): Typed<number> {
  const number = readDigits(text);
  if (number === null) return { problem: notWhole(text) };
  if (number > CPU_ID_MAX) return { problem: `the CPU id ${number} is too large: at most ${CPU_ID_MAX}` };
  return { ok: Number(number) };
}

/** A whole number as the command line reads one; null where it is none. */
export function readDigits(text: string): bigint | null {
  if (!/^\+?\d+$/.test(text)) return null;
  const number = BigInt(text.replace("+", ""));
  return number > INTEGER_MAX ? null : number;
}

export function notWhole(text: string): string {
  return `\`${escaped(text)}\` is no whole number, 0 or more`;
}

/** Runs shortened: `0-3,8`. */
export function writeCpus(ids: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const id of [...ids].sort((left, right) => left - right)) {
    const run = runs.at(-1);
    if (run && run[1] + 1 >= id) run[1] = id;
    else runs.push([id, id]);
  }
  return runs.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(",");
}

/** `service, dmz`, with commas or blanks between; nothing at all means none. What is a bridge's name, the rules say. */
export function readBridges(text: string): string[] {
  return sortedBridges(text.split(/[\s,]+/).filter((bridge) => bridge !== ""));
}

/** As the rules write them: in alphabetical order, each once. */
export function sortedBridges(bridges: readonly string[]): string[] {
  return [...new Set(bridges)].sort(compareTexts);
}

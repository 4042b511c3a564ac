/**
 * Plans as links: `#v1.` and the plan as JSON, compressed, in letters that an address may have.
 *
 * | part | what it is |
 * |---|---|
 * | `v1.` | the version, before anything else |
 * | the rest | base64url without padding, of zlib (RFC 1950), of JSON in UTF-8 |
 * | the JSON | `{"step": [...], "base": {"title": "...", "snapshot": "<base64url>"}}`, without `base` where there is none |
 *
 * Owns that form and its bounds. Zlib and not bare deflate, for four bytes: its checksum finds the damage that would otherwise
 * be another plan.
 */

import { type Plan } from "../plan/plan";
import { type MakeTree, readSnapshot } from "./base";
import { parseJson } from "./json";
import type { Located } from "./located";
import { type Read, Wrong, refused } from "./problem";
import { readSteps, stepTable } from "./tables";

const VERSION = 1;

/** The longest link. Browsers take more; mail and chat, through which links travel, often do not. */
export const LINK_CHARACTERS_MAX = 1 << 16;

/** The most that a link may hold once it is unpacked: no link makes the page swell. */
export const LINK_BYTES_MAX = 1 << 22;

/** The fragment of an address, with its `#`; a problem where the plan is too large for one. */
export async function writeLink(
  plan: Plan,
  characters_max = LINK_CHARACTERS_MAX,
): Promise<{ readonly link: string } | { readonly problem: string }> {
  const { base } = plan;
  const kept = base && { title: base.title, snapshot: toBase64(base.snapshot) };
  const text = JSON.stringify({ step: plan.steps.map(stepTable), ...(kept ? { base: kept } : {}) });
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > LINK_BYTES_MAX) return tooLarge(characters_max);
  const link = `#v${VERSION}.${toBase64(await through(bytes, new CompressionStream("deflate"), Infinity))}`;
  return link.length > characters_max ? tooLarge(characters_max) : { link };
}

function tooLarge(characters_max: number): { readonly problem: string } {
  return { problem: `the plan is too large for a link of at most ${characters_max} characters: keep it as a file` };
}

/** The plan of a link; of any version that was ever written. */
export async function readLink(fragment: string, makeTree: MakeTree): Promise<Read<Plan>> {
  const [, version, packed = ""] = /^#?v(\d{1,4})\.(.*)$/s.exec(fragment) ?? [];
  if (version === undefined) return refused("the link holds no plan: it does not begin with `#v1.`");
  if (Number(version) > VERSION)
    return refused(
      `the link is of version ${Number(version)}, and this page reads up to ${VERSION}: open it with a newer one`,
    );
  if (Number(version) < 1) return refused("the link is damaged: there is no version 0");
  const bytes = fromBase64(packed);
  if (!bytes) return refused("the link is damaged: a character is missing or wrong");
  const text = await unpack(bytes);
  return "problem" in text ? text : readText(text.ok, makeTree);
}

async function unpack(bytes: Uint8Array): Promise<Read<string>> {
  try {
    const unpacked = await through(bytes, new DecompressionStream("deflate"), LINK_BYTES_MAX);
    return { ok: new TextDecoder("utf-8", { fatal: true }).decode(unpacked) };
  } catch (error) {
    if (error instanceof TooMuch) return refused(`the link holds more than ${LINK_BYTES_MAX} bytes: no page wrote it`);
    return refused("the link is damaged: a part of it is missing or changed");
  }
}

function readText(text: string, makeTree: MakeTree): Read<Plan> {
  const tree = makeTree();
  try {
    const { base, steps } = parts(parseJson(text));
    const read = readSteps(steps, tree, "may be empty");
    if (!base) return { ok: { base: null, steps: read } };
    const restored = readSnapshot(base.snapshot, base.title, makeTree);
    return "problem" in restored ? restored : { ok: { base: restored.ok, steps: read } };
  } catch (error) {
    // The place would be one in the unpacked text, which nobody sees.
    if (error instanceof Wrong) return refused(`the link holds no plan: ${error.sentence}`);
    throw error;
  } finally {
    tree.free();
  }
}

/** The plan itself, and what it starts from. */
function parts(document: Located): { steps: Located; base: { title: string; snapshot: Uint8Array } | null } {
  if (document.value.is !== "table") return { steps: document, base: null };
  const entries = new Map(document.value.entries);
  const base = entries.get("base")?.value;
  entries.delete("base");
  const steps: Located = { at: document.at, value: { is: "table", entries } };
  if (!base) return { steps, base: null };
  const field = (name: string) => {
    const value = base.value.is === "table" ? base.value.entries.get(name)?.value.value : null;
    if (value?.is !== "text") throw new Wrong(base.at, "`base` is a title and a snapshot");
    return value.text;
  };
  const snapshot = fromBase64(field("snapshot"));
  if (!snapshot) throw new Wrong(base.at, "the snapshot in `base` is no base64url");
  return { steps, base: { title: field("title"), snapshot } };
}

class TooMuch extends Error {}

/** All that comes out of a stream, up to a bound. */
async function through(bytes: Uint8Array, stream: GenericTransformStream, bytes_max: number): Promise<Uint8Array> {
  const reader: ReadableStreamDefaultReader<Uint8Array> = new Blob([bytes.slice()])
    .stream()
    .pipeThrough(stream)
    .getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    chunks.push(read.value);
    length += read.value.length;
    if (length > bytes_max) {
      await reader.cancel();
      throw new TooMuch();
    }
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** How many bytes become text at once: a call takes no more arguments than this in any browser. */
const CHUNK = 1 << 13;

function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += CHUNK) binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Null where it is none: also where the last letter has bits that mean nothing, since there is one way to write anything. */
function fromBase64(text: string): Uint8Array | null {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return null;
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  return toBase64(bytes) === text ? bytes : null;
}

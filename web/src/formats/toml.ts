/**
 * Plans as TOML: the file that `fulmar preview` reads.
 *
 * Owns how TOML becomes values with places, and how a plan is written. What the fields mean is `tables.ts`'s.
 */

import { type AST, ParseError, parseTOML } from "toml-eslint-parser";
import type { Plan, Step } from "../plan/plan";
import type { Core } from "./core";
import type { Entry, Located, Value } from "./located";
import { type Read, Wrong, attempt, printable } from "./problem";
import { type Table, readSteps, stepTable } from "./tables";

/** The steps of a plan file. */
export function readToml(text: string, core: Core): Read<Step[]> {
  return attempt(text, () => readSteps(parse(text), core, "needs a step"));
}

/** The plan file with these steps. */
export function writeToml(plan: Plan): string {
  const tables = plan.steps.map((step) => writeTable(stepTable(step)));
  return [...heading(plan), ...tables].join("\n");
}

function heading({ base }: Plan): string[] {
  if (!base) return [];
  return [`# To be tried on a host's state: fulmar preview PLAN --on SNAPSHOT. It was ${printable(base.title)}.\n`];
}

function writeTable(table: Table): string {
  const lines = Object.entries(table).map(([field, value]) => `${field} = ${writeValue(value)}\n`);
  return `[[step]]\n${lines.join("")}`;
}

/** Names and values hold nothing that TOML would escape but what JSON escapes in the same way. */
function writeValue(value: string | number | string[]): string {
  return Array.isArray(value) ? `[${value.map(writeValue).join(", ")}]` : JSON.stringify(value);
}

type Growing = Map<string, Entry>;

/** The values of a document. */
function parse(text: string): Located {
  const entries: Growing = new Map();
  for (const node of topLevel(text)) {
    if (node.type === "TOMLKeyValue") insert(entries, node);
    else descend(entries, node);
  }
  return { at: 0, value: { is: "table", entries } };
}

function topLevel(text: string): AST.TOMLTopLevelTable["body"] {
  try {
    return parseTOML(text, { tomlVersion: "1.1" }).body[0].body;
  } catch (error) {
    if (error instanceof ParseError) throw new Wrong(error.index, sentence(error.message));
    throw error;
  }
}

/** As all sentences are: without a capital. */
function sentence(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** A table with a head, put where the head says. */
function descend(root: Growing, table: AST.TOMLTable): void {
  const [at] = table.range;
  const keys = table.key.keys.values();
  let within = root;
  const names = table.resolvedKey;
  for (const [depth, name] of names.entries()) {
    if (typeof name === "number") continue;
    const keyAt = keys.next().value?.range[0] ?? at;
    const next = names[depth + 1];
    within = typeof next === "number" ? item(within, name, next, keyAt, at) : below(within, name, keyAt, at);
  }
  for (const node of table.body) insert(within, node);
}

/** The table under a key, made where it is not there yet. */
function below(within: Growing, name: string, keyAt: number, at: number): Growing {
  const known = within.get(name)?.value.value;
  // The parser refuses what is a table here and something else there.
  if (known?.is === "table") return known.entries as Growing;
  const entries: Growing = new Map();
  within.set(name, { keyAt, value: { at, value: { is: "table", entries } } });
  return entries;
}

/** The table with this number in the list under a key. */
function item(within: Growing, name: string, number: number, keyAt: number, at: number): Growing {
  const known = within.get(name)?.value.value;
  const items = known?.is === "list" ? (known.items as Located[]) : [];
  if (known?.is !== "list") within.set(name, { keyAt, value: { at, value: { is: "list", items } } });
  const present = items[number]?.value;
  if (present?.is === "table") return present.entries as Growing;
  const entries: Growing = new Map();
  items.push({ at, value: { is: "table", entries } });
  return entries;
}

/** A key, dotted or not, and its value. */
function insert(entries: Growing, { key, value }: AST.TOMLKeyValue): void {
  let within = entries;
  for (const [depth, part] of key.keys.entries()) {
    const name = part.type === "TOMLBare" ? part.name : part.value;
    const [keyAt] = part.range;
    if (depth < key.keys.length - 1) within = below(within, name, keyAt, keyAt);
    else within.set(name, { keyAt, value: locate(value) });
  }
}

function locate(node: AST.TOMLContentNode): Located {
  return { at: node.range[0], value: toValue(node) };
}

function toValue(node: AST.TOMLContentNode): Value {
  switch (node.type) {
    case "TOMLArray":
      return { is: "list", items: node.elements.map(locate) };
    case "TOMLInlineTable": {
      const entries: Growing = new Map();
      for (const pair of node.body) insert(entries, pair);
      return { is: "table", entries };
    }
    case "TOMLValue":
      return scalar(node);
  }
}

const RADIXES = new Map([
  ["0x", 16],
  ["0o", 8],
  ["0b", 2],
] as const);

function scalar(node: AST.TOMLValue): Value {
  switch (node.kind) {
    case "string":
      return { is: "text", text: node.value };
    case "integer": {
      // The parser keeps no digits of a bare 0.
      const digits = node.number.replaceAll("_", "") || "0";
      const radix = RADIXES.get(digits.slice(0, 2) as "0x");
      return { is: "integer", digits: radix ? digits.slice(2) : digits, radix: radix ?? 10 };
    }
    case "float":
      return { is: "fraction" };
    case "boolean":
      return { is: "boolean" };
    default:
      return { is: "time" };
  }
}

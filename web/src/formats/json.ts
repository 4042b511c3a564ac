/**
 * Plans as JSON: the same tables with the same fields, `{"step":[{"policy":"alice","unikernels":2,"memory_mib":64}]}`.
 *
 * Owns the grammar of JSON, since `JSON.parse` keeps no places. What the fields mean is `tables.ts`'s.
 */

import type { Plan, Step } from "../plan/plan";
import type { Core } from "./core";
import type { Entry, Located } from "./located";
import { type Read, Wrong, attempt, printable } from "./problem";
import { readSteps, stepTable } from "./tables";

/** How deep lists and tables may lie in each other: a plan needs four. */
const DEPTH_MAX = 64;

/** The steps of a plan. */
export function readJson(text: string, core: Core): Read<Step[]> {
  return attempt(text, () => readSteps(parseJson(text), core, "needs a step"));
}

/** The plan with these steps; one step a line, so that two plans can be compared line by line. */
export function writeJson(plan: Plan): string {
  const steps = plan.steps.map((step) => `\n  ${JSON.stringify(stepTable(step))}`);
  return `{"step":[${steps.join(",")}\n]}\n`;
}

/** The values of a text; throws `Wrong`. */
export function parseJson(text: string): Located {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  value(depth: number): Located {
    this.skip(/[ \t\r\n]*/y);
    const at = this.at;
    if (depth > DEPTH_MAX) throw new Wrong(at, `lists and tables lie more than ${DEPTH_MAX} deep in each other`);
    switch (this.text[at]) {
      case "{":
        return { at, value: { is: "table", entries: this.table(depth) } };
      case "[":
        return { at, value: { is: "list", items: this.list(depth) } };
      case '"':
        return { at, value: { is: "text", text: this.string() } };
      default:
        return { at, value: this.word() };
    }
  }

  end(): void {
    this.skip(/[ \t\r\n]*/y);
    if (this.at < this.text.length) throw this.unexpected("the end");
  }

  private table(depth: number): Map<string, Entry> {
    const entries = new Map<string, Entry>();
    this.expect("{");
    if (this.accept("}")) return entries;
    do {
      this.skip(/[ \t\r\n]*/y);
      const keyAt = this.at;
      if (this.text[keyAt] !== '"') throw this.unexpected("a name in quotes");
      const name = this.string();
      if (entries.has(name)) throw new Wrong(keyAt, `the field \`${printable(name)}\` is there twice`);
      this.expect(":");
      entries.set(name, { keyAt, value: this.value(depth + 1) });
    } while (this.accept(","));
    this.expect("}");
    return entries;
  }

  private list(depth: number): Located[] {
    const items: Located[] = [];
    this.expect("[");
    if (this.accept("]")) return items;
    do items.push(this.value(depth + 1));
    while (this.accept(","));
    this.expect("]");
    return items;
  }

  private string(): string {
    const at = this.at;
    const quoted = this.skip(/"[^"\\\u0000-\u001f]*(?:\\.[^"\\\u0000-\u001f]*)*"/y);
    if (quoted === "") throw new Wrong(at, "a text in quotes does not end, or has a line break in it");
    try {
      return String(JSON.parse(quoted));
    } catch {
      throw new Wrong(at, "a text in quotes has a `\\` in it that JSON does not know");
    }
  }

  private word(): Located["value"] {
    const number = this.skip(/-?(?:0|[1-9]\d*)(?![\d.eE])/y);
    if (number !== "") return { is: "integer", digits: number, radix: 10 };
    if (this.skip(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\d.eE])/y) !== "") return { is: "fraction" };
    const word = this.skip(/[a-z]+/y);
    if (word === "true" || word === "false") return { is: "boolean" };
    if (word === "null") return { is: "nothing" };
    this.at -= word.length;
    throw this.unexpected("a value");
  }

  private accept(mark: string): boolean {
    this.skip(/[ \t\r\n]*/y);
    if (this.text[this.at] !== mark) return false;
    this.at += 1;
    return true;
  }

  private expect(mark: string): void {
    if (!this.accept(mark)) throw this.unexpected(`\`${mark}\``);
  }

  /** What matches right here, and is passed over. */
  private skip(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const [found = ""] = pattern.exec(this.text) ?? [];
    this.at += found.length;
    return found;
  }

  private unexpected(wanted: string): Wrong {
    const [found] = this.text.slice(this.at);
    const sentence = found === undefined ? "the text ends" : `\`${printable(found)}\` stands`;
    return new Wrong(this.at, `${sentence} where ${wanted} belongs`);
  }
}

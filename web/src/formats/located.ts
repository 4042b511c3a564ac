/**
 * Values as a text writes them, each with its place: what TOML and JSON have in common.
 *
 * Owns the shape, and that no field is left unread: one that is misspelt would otherwise be a limit that is not there.
 */

import { Wrong, escaped } from "./problem";

export interface Located {
  /** Where it begins, as an index into the text. */
  readonly at: number;
  readonly value: Value;
}

export type Value =
  | { readonly is: "text"; readonly text: string }
  /** The digits as they are written, with their sign. */
  | { readonly is: "integer"; readonly digits: string; readonly radix: 2 | 8 | 10 | 16 }
  | { readonly is: "fraction" | "boolean" | "time" | "nothing" }
  | { readonly is: "list"; readonly items: readonly Located[] }
  | { readonly is: "table"; readonly entries: ReadonlyMap<string, Entry> };

/** A value under a key, which has a place, too. */
export interface Entry {
  readonly keyAt: number;
  readonly value: Located;
}

const FOUND = {
  text: "a text",
  integer: "a whole number",
  fraction: "a fraction",
  boolean: "`true` or `false`",
  time: "a time",
  nothing: "`null`",
  list: "a list",
  table: "a table",
};

const INTEGER_MAX = 2n ** 64n - 1n;

/** The fields of a table that are not read yet. */
export class Fields {
  private readonly unread: Map<string, Entry>;

  /** `at` is where the table begins. */
  constructor(
    readonly at: number,
    private readonly entries: ReadonlyMap<string, Entry>,
  ) {
    this.unread = new Map(entries);
  }

  /** The same table, with nothing read yet. */
  again(): Fields {
    return new Fields(this.at, this.entries);
  }

  take(name: string): Field | null {
    const entry = this.unread.get(name);
    if (!entry) return null;
    this.unread.delete(name);
    return new Field(name, entry.value);
  }

  /** A field that has to be there; `what` says of what. */
  need(name: string, what: string): Field {
    const field = this.take(name);
    if (!field) throw new Wrong(this.at, `${what} needs the field \`${name}\``);
    return field;
  }

  /** Refuses the first field that nobody knows: before one is missed, because it may be that one, misspelt. */
  only(what: string, known: readonly string[]): void {
    let first: [string, Entry] | null = null;
    for (const entry of this.unread)
      if (!known.includes(entry[0]) && (!first || entry[1].keyAt < first[1].keyAt)) first = entry;
    if (!first) return;
    const names = known.map((name) => `\`${name}\``).join(", ");
    throw new Wrong(first[1].keyAt, `${what} has no field \`${escaped(first[0])}\`: use ${names}`);
  }
}

/** A field: what it is called, its value, and where that begins. */
export class Field {
  constructor(
    readonly name: string,
    private readonly located: Located,
  ) {}

  /** What is wrong with the value, behind the field's name. */
  wrong(sentence: string): Wrong {
    return new Wrong(this.located.at, `\`${this.name}\`: ${sentence}`);
  }

  text(): string {
    const { value } = this.located;
    if (value.is !== "text") throw this.another("a text in quotes");
    return value.text;
  }

  /** A whole number of at most 64 bits, as the host reads it. */
  number(): bigint {
    const { value } = this.located;
    if (value.is !== "integer") throw this.another("a whole number, without quotes");
    const number = toNumber(value.digits, value.radix);
    if (number === null || number > INTEGER_MAX)
      throw this.wrong(`\`${value.digits}\` is no whole number from 0 to 2^53 - 1`);
    return number;
  }

  /** The items of a list, each of them under the field's name. */
  items(): readonly Field[] {
    const { value } = this.located;
    if (value.is !== "list") throw this.another("a list of texts");
    return value.items.map((item) => new Field(this.name, item));
  }

  tables(): readonly Fields[] {
    const { value } = this.located;
    const wanted = "tables, each begun by `[[step]]`";
    if (value.is !== "list") throw this.another(wanted);
    return value.items.map((item) => {
      if (item.value.is !== "table") throw this.another(wanted);
      return new Fields(item.at, item.value.entries);
    });
  }

  private another(wanted: string): Wrong {
    return this.wrong(`${FOUND[this.located.value.is]} stands where ${wanted} belongs`);
  }
}

const PREFIXES = { 2: "0b", 8: "0o", 10: "", 16: "0x" };

function toNumber(digits: string, radix: 2 | 8 | 10 | 16): bigint | null {
  const unsigned = digits.replace(/^\+/, "");
  return /^[0-9a-f]+$/i.test(unsigned) ? BigInt(PREFIXES[radix] + unsigned) : null;
}

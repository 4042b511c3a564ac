/**
 * What is wrong with a text, for a person: a sentence, and the place where there is one.
 *
 * Owns how places are told: lines and columns begin with 1, and a column is a character, as on the command line.
 */

export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface Problem {
  readonly sentence: string;
  readonly place: Place | null;
}

/** What was read, or why it was not. */
export type Read<T> = { readonly ok: T } | { readonly problem: Problem };

/** The problem in one line. */
export function tell({ sentence, place }: Problem): string {
  return place ? `line ${place.line}, column ${place.column}: ${sentence}` : sentence;
}

export function refused(sentence: string, place: Place | null = null): { readonly problem: Problem } {
  return { problem: { sentence, place } };
}

/** The place of an index into a text. */
export function placeOf(text: string, at: number): Place {
  const before = text.slice(0, at);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: [...before.slice(lineStart)].length + 1 };
}

/** Thrown where something is wrong and caught where the text is at hand: a reader calls many, deep down. */
export class Wrong extends Error {
  constructor(
    readonly at: number,
    readonly sentence: string,
  ) {
    super(sentence);
  }
}

/** What is read of a text, or the first thing that is wrong with it. */
export function attempt<T>(text: string, read: () => T): Read<T> {
  try {
    return { ok: read() };
  } catch (error) {
    if (error instanceof Wrong) return refused(error.sentence, placeOf(text, error.at));
    throw error;
  }
}

/** As a person can see it: control characters by their numbers. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    const known = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }[character];
    return known ?? `\\u{${character.charCodeAt(0).toString(16)}}`;
  });
}

/** As Rust writes what it was given (`escape_debug`): so the sentences are the same. */
export function escaped(text: string): string {
  return printable(text.replace(/[\\'"]/g, "\\$&"));
}

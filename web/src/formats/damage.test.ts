/** Links and files that somebody cut off or changed: a sentence, and never another plan. */

import { expect, test } from "vitest";
import { EXAMPLE } from "../plan/example";
import { readFile } from "./file";
import { makeTree, problem, random } from "./fixture";
import { LINK_BYTES_MAX, readLink, writeLink } from "./link";

async function exampleLink(): Promise<string> {
  const written = await writeLink(EXAMPLE);
  return "link" in written ? written.link : "";
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

test("a link with a character changed, lost or doubled is refused at every place", async () => {
  const link = await exampleLink();
  const below = random(1);
  for (let at = "#v1.".length; at < link.length; at += 1) {
    const letter = LETTERS[below(LETTERS.length)] ?? "";
    for (const damaged of [
      link.slice(0, at) + (letter === link[at] ? "." : letter) + link.slice(at + 1),
      link.slice(0, at) + link.slice(at + 1),
      link.slice(0, at) + link.slice(at, at + 1).repeat(2) + link.slice(at + 1),
    ]) {
      // Of two equal letters it does not matter which is lost.
      if (damaged === link) continue;
      const read = await readLink(damaged, makeTree);
      // Some bits behind the last block mean nothing: the same plan is no other plan.
      if ("ok" in read) expect(read.ok, damaged).toEqual(EXAMPLE);
      else expect(read.problem.sentence, damaged).toMatch(/^the link is damaged: /);
    }
  }
});

test("a link that is cut off is refused wherever it is", async () => {
  const link = await exampleLink();
  for (let length = 0; length < link.length; length += 1)
    expect(problem(await readLink(link.slice(0, length), makeTree)), `${length}`).toMatch(/^the link /);
});

async function packed(text: string): Promise<string> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return `#v1.${btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

test("links of other versions, of other plans and of too much say what they are", async () => {
  for (const [link, sentence] of [
    ["#v2.whatever", "the link is of version 2, and this page reads up to 1: open it with a newer one"],
    ["#v0.eA", "the link is damaged: there is no version 0"],
    ["#plan", "the link holds no plan: it does not begin with `#v1.`"],
    ["", "the link holds no plan: it does not begin with `#v1.`"],
    ["#v1.", "the link is damaged: a part of it is missing or changed"],
    [await packed("[]"), "the link holds no plan: this is no plan: a plan is a table of steps"],
    [await packed('{"step":[{"policy":"a"}]}'), "the link holds no plan: a policy needs the field `unikernels`"],
    [
      await packed('{"step":[{"remove_policy":"-"}]}'),
      "the link holds no plan: `remove_policy`: the label `-` begins with `-`: begin with a letter, a digit or `.`",
    ],
    [await packed('{"step":[],"base":{"title":"x"}}'), "the link holds no plan: `base` is a title and a snapshot"],
    [
      await packed('{"step":[],"base":{"title":"x","snapshot":"AgA"}}'),
      "`x` is no snapshot that can be read: a snapshot of version 2 cannot be read here: only version 1",
    ],
    [
      await packed(" ".repeat(LINK_BYTES_MAX + 1)),
      `the link holds more than ${LINK_BYTES_MAX} bytes: no page wrote it`,
    ],
  ] as const)
    expect(problem(await readLink(link, makeTree))).toBe(sentence);
});

test("rubbish is refused with the place where it is found", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  for (const [file, sentence] of [
    [bytes(""), "`f` is empty"],
    [bytes("hello"), "line 1, column 6: `f` is no plan: "],
    [bytes('{"step": [\n  {"policy": nil}]}'), "line 2, column 14: `f` is no plan: `n` stands where a value belongs"],
    [bytes('{"step": [}'), "line 1, column 11: `f` is no plan: `}` stands where a value belongs"],
    [bytes('{"step": ['), "line 1, column 11: `f` is no plan: the text ends where a value belongs"],
    [
      bytes('{"step": "\\x"}'),
      "line 1, column 10: `f` is no plan: a text in quotes has a `\\` in it that JSON does not know",
    ],
    [bytes('{"a":1,"a":1}'), "line 1, column 8: `f` is no plan: the field `a` is there twice"],
    [
      bytes(`{"step":${"[".repeat(99)}`),
      "line 1, column 73: `f` is no plan: lists and tables lie more than 64 deep in each other",
    ],
    [Uint8Array.from([35, 10, 35, 195, 164, 32, 255]), "line 2, column 4: `f` is no plan: this is no UTF-8"],
    [Uint8Array.from([35, 195]), "line 1, column 2: `f` is no plan: this is no UTF-8"],
    [Uint8Array.from([137, 80, 78, 71]), "line 1, column 1: `f` is no plan: this is no UTF-8"],
    [new Uint8Array(1 << 21).fill(35), "`f` is too large: at most 1048576 bytes"],
    [Uint8Array.from([1]), "`f` is no snapshot that can be read: "],
    [
      Uint8Array.from([2, 0]),
      "`f` is no snapshot that can be read: a snapshot of version 2 cannot be read here: only version 1",
    ],
    [
      bytes('{"version":3,"facts":[]}'),
      "`f` is no snapshot that can be read: a snapshot of version 3 cannot be read here",
    ],
    [bytes('{"version":1,'), "`f` is no JSON"],
  ] as const)
    expect(problem(readFile(file, "f", makeTree))).toContain(sentence);
});

test("no bytes at all break the reader", () => {
  const below = random(3);
  for (let round = 0; round < 2_000; round += 1) {
    const file = Uint8Array.from({ length: below(40) }, () => (round % 2 ? below(256) : 32 + below(95)));
    expect("problem" in readFile(file, "f", makeTree)).toBe(true);
  }
});

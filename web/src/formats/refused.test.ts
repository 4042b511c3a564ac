/** What the command line refuses the page refuses: the same plans, at the same place, in the same words. */

import { describe, expect, test } from "vitest";
import table from "../../../tests/plans/refused.json";
import { PLAN_BYTES_MAX, STEPS_MAX } from "../plan/plan";
import { makeTree, ok, problem } from "./fixture";
import { readJson } from "./json";
import { tell } from "./problem";
import { readToml, writeToml } from "./toml";

interface Refused {
  readonly plan: string;
  readonly at: readonly number[];
  readonly sentence: string;
  /** It is no TOML: then only the line is the same, since the parser is another one. */
  readonly no_toml?: boolean;
}

describe("what is no plan is refused at its place in the words of the rules", () => {
  test.each((table as Refused[]).map((row) => [row.plan.slice(0, 120), row] as const))("%j", (_, refused) => {
    const [line = 0, column = 0] = refused.at;
    const read = problem(readToml(refused.plan, makeTree()));
    if (refused.no_toml) expect(read).toMatch(new RegExp(`^line ${line}, column `));
    else expect(read).toBe(tell({ sentence: refused.sentence, place: { line, column } }));
  });
});

test("a plan has a bound, each unikernel of a count counted", () => {
  const many = "[[step]]\nunikernel = 'a:b'\nmemory_mib = 1\ncpuids = '0'\ncount = 10000\n".repeat(10);
  expect(ok(readToml(many, makeTree())).length).toBe(10);
  expect(problem(readToml(`${many}[[step]]\nremove_policy = 'a'`, makeTree()))).toBe(
    `line 51, column 1: the plan has more than ${STEPS_MAX} steps, each unikernel of a \`count\` counted`,
  );
});

test("JSON is read field by field as TOML is, and located as well", () => {
  for (const [text, sentence] of [
    ['{"step":[]}', "line 1, column 1: the plan has no steps: begin one with `[[step]]`"],
    ["[1]", "line 1, column 1: this is no plan: a plan is a table of steps"],
    ['{"step":[{"policy":"a","unikernels":1}]}', "line 1, column 10: a policy needs the field `memory_mib`"],
    [
      '{"step":[\n {"policy":"a","memory_mib":1,"unikernels":1.5}]}',
      "line 2, column 44: `unikernels`: a fraction stands where a whole number, without quotes belongs",
    ],
    [
      '{"step":[{"remove_policy":null}]}',
      "line 1, column 27: `remove_policy`: `null` stands where a text in quotes belongs",
    ],
    [
      '{"step":[{"block":"a:b","size_mib":1e3}]}',
      "line 1, column 36: `size_mib`: a fraction stands where a whole number, without quotes belongs",
    ],
    [
      '{"step":[{"block":"a:b","size_mib":-1}]}',
      "line 1, column 36: `size_mib`: `-1` is no whole number from 0 to 2^53 - 1",
    ],
  ] as const)
    expect(problem(readJson(text, makeTree()))).toBe(sentence);
});

test("the largest file is read, every value by the rules", { timeout: 60_000 }, () => {
  const step = '[[step]]\nunikernel = "alice:bob:web"\nmemory_mib = 32\ncpuids = "0"\nbridges = ["service:br0"]\n\n';
  const text = step.repeat(Math.floor(PLAN_BYTES_MAX / step.length));
  const begin = performance.now();
  const steps = ok(readToml(text, makeTree()));
  console.log(`${steps.length} steps in ${text.length} bytes of TOML: ${(performance.now() - begin).toFixed(0)} ms`);
  expect(writeToml({ base: null, steps: steps.slice(0, 1) })).toBe(step.slice(0, -1));
});

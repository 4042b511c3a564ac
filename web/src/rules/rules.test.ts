import { describe, expect, test } from "vitest";
import { EMPTY } from "../plan/plan";
import type { Plan, Step } from "../plan/plan";
import type { Answer, FromWorker, ToWorker } from "./messages";
import { Rules, splice } from "./rules";
import type { Asked } from "./rules";

const block = (name: string): Step => ({ kind: "block", name, size_mib: 1 });
const [a, b, c, d] = [block("a"), block("b"), block("c"), block("d")];

describe("what changed between two lists of steps", () => {
  test("nothing, where they are the same", () => {
    expect(splice([a, b], [a, b])).toBeNull();
    expect(splice([], [])).toBeNull();
  });

  test("one step, where one was edited, put in or taken out", () => {
    expect(splice([a, b, c], [a, d, c])).toEqual({ at: 1, remove: 1, insert: [d] });
    expect(splice([a, c], [a, b, c])).toEqual({ at: 1, remove: 0, insert: [b] });
    expect(splice([a, b, c], [a, c])).toEqual({ at: 1, remove: 1, insert: [] });
  });

  test("of two steps that are the same one is taken for the other", () => {
    expect(splice([a, a], [a, a, a])).toEqual({ at: 2, remove: 0, insert: [a] });
  });

  test("applied to the one list it makes the other", () => {
    const all = [a, b, c, d];
    for (let seed = 0; seed < 500; seed += 1) {
      const pick = (salt: number) =>
        Array.from({ length: (seed * 7 + salt) % 6 }, (_, nth) => all[(seed * salt + nth * (seed + 1)) % 4] ?? a);
      const [before, after] = [pick(3), pick(5)];
      const change = splice(before, after);
      const { at, remove, insert } = change ?? { at: 0, remove: 0, insert: [] };
      expect([...before.slice(0, at), ...insert, ...before.slice(at + remove)]).toEqual(after);
    }
  });
});

/** A worker that answers when it is told to. */
class Worker {
  readonly posted: ToWorker[] = [];
  #listener: (event: never) => void = () => undefined;

  postMessage(message: ToWorker): void {
    this.posted.push(message);
  }

  addEventListener(type: string, listener: (event: never) => void): void {
    if (type === "message") this.#listener = listener;
  }

  async answer(message: FromWorker): Promise<void> {
    (this.#listener as (event: { data: FromWorker }) => void)({ data: message });
    await Promise.resolve();
    await Promise.resolve();
  }
}

const LOOK = { rows: [], domain: null, delegates: [], steps: [], wish: null, facts: false };
const asked = (plan: Plan): Asked => ({ plan, stop: false, look: LOOK });
const answer: FromWorker = { kind: "answer", answer: { took_ms: 1 } as Answer };
const plan = (...steps: Step[]): Plan => ({ ...EMPTY, steps });

function setUp() {
  const worker = new Worker();
  const heard: unknown[] = [];
  const rules = new Rules(worker, (outcome) => heard.push("asked" in outcome ? outcome.asked.plan : outcome.problem));
  return { worker, heard, rules };
}

test("of the questions that come while one is answered only the last is asked", async () => {
  const { worker, heard, rules } = setUp();
  const [first, second, third] = [plan(a), plan(a, b), plan(a, b, c)];
  rules.ask(asked(first));
  rules.ask(asked(second));
  rules.ask(asked(third));
  expect(worker.posted).toHaveLength(1);
  await worker.answer(answer);
  expect(worker.posted).toHaveLength(2);
  await worker.answer(answer);
  expect(worker.posted).toHaveLength(2);
  expect(heard).toEqual([first, third]);
});

test("only what changed since the last question is sent", async () => {
  const { worker, rules } = setUp();
  rules.ask(asked(plan(a, b, c)));
  await worker.answer(answer);
  rules.ask(asked(plan(a, d, c)));
  await worker.answer(answer);
  rules.ask(asked(plan(a, d, c)));
  const splices = worker.posted.map((message) => message.kind === "question" && message.question.splice);
  expect(splices).toEqual([{ at: 0, remove: 0, insert: [a, b, c] }, { at: 1, remove: 1, insert: [d] }, null]);
});

test("a base is sent once, and taken back", async () => {
  const { worker, rules } = setUp();
  const base = { title: "host", snapshot: new Uint8Array([1]), facts: [] };
  rules.ask(asked({ base, steps: [] }));
  await worker.answer(answer);
  rules.ask(asked({ base, steps: [a] }));
  await worker.answer(answer);
  rules.ask(asked(EMPTY));
  const bases = worker.posted.map((message) => message.kind === "question" && message.question.base);
  expect(bases).toEqual([{ snapshot: base.snapshot }, null, { snapshot: null }]);
});

test("a problem is told, and the next question is asked all the same", async () => {
  const { worker, heard, rules } = setUp();
  rules.ask(asked(plan(a)));
  await worker.answer({ kind: "problem", problem: "broken" });
  rules.ask(asked(plan(a)));
  await worker.answer(answer);
  expect(heard).toEqual(["broken", plan(a)]);
});

test("errands are answered in their order, between questions", async () => {
  const { worker, rules } = setUp();
  rules.ask(asked(plan(a)));
  const said = rules.say([{ audit: {} }]);
  await worker.answer(answer);
  await worker.answer({ kind: "said", said: [{ code: "malformed", problem: "no" }] });
  expect(await said).toEqual([{ code: "malformed", problem: "no" }]);
});

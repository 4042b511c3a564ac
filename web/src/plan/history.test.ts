import { expect, test } from "vitest";
import { plan, policy } from "./fixture";
import { EDITS_MAX, begin, record, redo, settle, undo } from "./history";

const [first, second, third, fourth] = [
  plan([]),
  plan([policy("a")]),
  plan([policy("b")]),
  plan([policy("c")]),
] as const;

test("typing in one field is one edit, until the person is elsewhere", () => {
  const typed = record(record(begin(first), second, "alice memory"), third, "alice memory");
  expect(undo(typed).present).toBe(first);
  const elsewhere = record(settle(typed), fourth, "alice memory");
  expect(undo(elsewhere).present).toBe(third);
  expect(undo(record(typed, fourth, "bob memory")).present).toBe(third);
  expect(undo(record(record(begin(first), second, null), third, null)).present).toBe(second);
});

test("typing after an undo is an edit of its own", () => {
  const typed = record(begin(first), second, "memory");
  expect(undo(record(undo(typed), third, "memory")).present).toBe(first);
});

test("an edit forgets what was taken back", () => {
  const back = undo(record(begin(first), second, null));
  expect(redo(back).present).toBe(second);
  expect(redo(record(back, third, null)).present).toBe(third);
  expect(record(back, first, null)).toBe(back);
});

test("beyond the first and the last plan there is none", () => {
  const history = begin(first);
  expect(undo(history)).toBe(history);
  expect(redo(history)).toBe(history);
});

test("what is kept is bounded", () => {
  let history = begin(first);
  for (let edit = 0; edit < EDITS_MAX + 10; edit += 1) history = record(history, plan([policy(`a${edit}`)]), null);
  expect(history.past.length).toBe(EDITS_MAX);
});

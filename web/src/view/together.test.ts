import { expect, test } from "vitest";
import { together } from "./together";

const shares = (amounts: Record<string, number>) =>
  Object.entries(amounts).map(([label, amount]) => ({ label, amount }));

test("two that are each as large as the limit are spent one or the other", () => {
  expect(together(shares({ bob: 2, charlie: 2 }), 2)).toEqual([["bob"], ["charlie"]]);
});

test("the largest sets come first, and no smaller one that is part of one of them", () => {
  expect(together(shares({ a: 1, b: 1, c: 2 }), 2)).toEqual([["a", "b"], ["c"]]);
});

test("all are one set where the sum fits", () => {
  expect(together(shares({ a: 1, b: 1 }), 2)).toEqual([["a", "b"]]);
});

test("what is nothing, or more than the limit alone, is in no set", () => {
  expect(together(shares({ a: 0, b: 3, c: 1 }), 2)).toEqual([["c"]]);
  expect(together(shares({ b: 3 }), 2)).toEqual([]);
});

test("too many are not listed", () => {
  expect(together(shares(Object.fromEntries(Array.from({ length: 11 }, (_, n) => [`d${n}`, 1]))), 2)).toBeNull();
});

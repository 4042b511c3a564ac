import { expect, test } from "vitest";
import { bar, percent } from "./bar";

test("what a domain above takes is what is neither used nor free", () => {
  const room = { free: 160, bound_by: "alice" };
  expect(bar(512, 128, room)).toEqual({ limit: 512, used: 128, free: 160, taken: 224, bound_by: "alice" });
});

test("nothing is taken where the own limit binds, nor where more is used than allowed", () => {
  expect(bar(4, 1, { free: 3, bound_by: "alice:bob" })?.taken).toBe(0);
  expect(bar(4, 6, { free: 0, bound_by: "alice:bob" })?.taken).toBe(0);
});

test("without a policy of its own a domain has what those above leave", () => {
  expect(bar(null, 2, { free: 3, bound_by: "alice" })).toEqual({
    limit: 5,
    used: 2,
    free: 3,
    taken: 0,
    bound_by: "alice",
  });
});

test("without any policy there is no bar", () => {
  expect(bar(null, 2, { free: Number.MAX_SAFE_INTEGER, bound_by: null })).toBeNull();
});

test("something never looks like nothing, and less than all never like all", () => {
  expect([percent(0, 8), percent(1, 1_000_000), percent(4, 8), percent(999_999, 1_000_000)]).toEqual([0, 1, 50, 99]);
  expect([percent(8, 8), percent(9, 8), percent(1, 0), percent(0, 0)]).toEqual([100, 100, 100, 0]);
});

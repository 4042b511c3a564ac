import { expect, test } from "vitest";
import { sliderEnd, stepped, stride } from "./values";

test("arrow keys reach the round sizes", () => {
  const up = (value: number) => stepped(value, 1, stride(value));
  const down = (value: number) => stepped(value, -1, stride(value));
  expect([up(0), up(1), up(7), up(100), up(128), up(4096)]).toEqual([1, 2, 8, 104, 144, 4608]);
  expect([down(0), down(1), down(8), down(100), down(4096)]).toEqual([0, 0, 7, 96, 3584]);
});

test("an amount stays within what can be counted", () => {
  expect(stepped(Number.MAX_SAFE_INTEGER, 1, stride(Number.MAX_SAFE_INTEGER))).toBe(Number.MAX_SAFE_INTEGER);
});

test("a slider ends with what is above; without a limit there is room to double", () => {
  expect(sliderEnd(64, 256)).toBe(256);
  expect(sliderEnd(512, 256)).toBe(512);
  expect(sliderEnd(100, null)).toBe(256);
  expect(sliderEnd(0, null)).toBe(8);
});

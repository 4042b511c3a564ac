import { expect, test } from "vitest";
import { SLIDER_PLACES, atPlace, placeOf, sliderEnd, stepped, stride } from "./values";

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
  expect(sliderEnd(64, 256, 1024)).toBe(256);
  expect(sliderEnd(512, 256, 1024)).toBe(512);
  expect(sliderEnd(1000, null, 1024)).toBe(2048);
  expect(sliderEnd(0, null, 1024)).toBe(1024);
});

test("a slider begins with nothing, ends with its end, and never turns back", () => {
  for (const end of [0, 1, 2, 64, 65, 256, 100_000, Number.MAX_SAFE_INTEGER]) {
    expect([atPlace(0, end), atPlace(SLIDER_PLACES, end)]).toEqual([0, end]);
    let last = 0;
    for (let place = 0; place <= SLIDER_PLACES; place += 1) {
      const value = atPlace(place, end);
      expect(value).toBeGreaterThanOrEqual(last);
      expect(value).toBeLessThanOrEqual(end);
      last = value;
    }
  }
});

test("a thumb stands where its value is", () => {
  for (const end of [2, 64, 256, 100_000]) {
    for (const place of [0, 250, 500, 999, 1000]) {
      const value = atPlace(place, end);
      expect(atPlace(placeOf(value, end), end)).toBe(value);
    }
  }
});

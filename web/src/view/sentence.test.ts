import { expect, test } from "vitest";
import { binding, parts } from "./sentence";

const overrun = { unikernels: { allowed: 2, used: 2, asked: 1 } };

test("the domain that binds is a link, the rest is text", () => {
  const explained = {
    code: "exceeds-unikernels",
    sentence: "unikernels: `alice` allows 2, 2 in use, 1 asked: over by 1",
    reason: { exceeds: { domain: "alice", overrun } },
  };
  expect(parts(explained)).toEqual([
    { text: "unikernels: ", domain: null },
    { text: "alice", domain: "alice" },
    { text: " allows 2, 2 in use, 1 asked: over by 1", domain: null },
  ]);
});

test("a thing leads to the domain that it is in", () => {
  const reason = { block_active: { name: "alice:data", user: "alice:db" } };
  const explained = { code: "block-active", sentence: "the block device `alice:data` is in use by `alice:db`", reason };
  expect(parts(explained).filter(({ domain }) => domain)).toEqual([
    { text: "alice:data", domain: "alice" },
    { text: "alice:db", domain: "alice" },
  ]);
  expect(binding(reason)).toBe("alice");
});

test("the root is a link as well", () => {
  expect(binding({ wider: { above: ":", overrun } })).toBe(":");
  expect(binding("uncountable")).toBeNull();
});

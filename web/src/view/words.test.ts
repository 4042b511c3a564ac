import { expect, test } from "vitest";
import { EXAMPLE } from "../plan/example";
import { below, details, listed, subject } from "./words";

test("steps read as `fulmar preview` writes them", () => {
  const lines = EXAMPLE.steps.map((step) => `${subject(step)} | ${details(step)}`);
  expect(lines).toEqual([
    "policy alice | 2 unikernels, 256 MiB, 1024 MiB block; CPUs 0, 1; bridges service",
    "policy alice:bob | 2 unikernels, 128 MiB; CPUs 0; bridges service",
    "policy alice:charlie | 2 unikernels, 128 MiB; CPUs 1",
    "block alice:data | 256 MiB",
    "unikernel alice:bob:web | 64 MiB; CPUs 0; bridge service",
    "unikernels alice:charlie:mail-{1..2} | each 32 MiB; CPUs 1",
    "remove unikernel alice:bob:web | ",
    "unikernel alice:charlie:mail-2 | 32 MiB; CPUs 1",
  ]);
});

test("lists end with an and", () => {
  expect([listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])]).toEqual([
    "",
    "a",
    "a and b",
    "a, b and c",
  ]);
});

test("below a domain its name is left out", () => {
  expect([below("alice:bob", "alice"), below("alice:bob:x", "alice"), below("alice", ":")]).toEqual([
    "bob",
    "bob:x",
    "alice",
  ]);
});

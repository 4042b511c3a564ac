/** What a person types into a field, and what is written back: one way to write anything, and it reads back. */

import { describe, expect, test } from "vitest";
import { canonicalName, canonicalPath } from "../plan/names";
import { AMOUNT_MAX, readAmount, readCount, type Typed, writeAmount } from "./amount";
import { SILENT, refusal, words } from "./core";
import { readBlockDevice, readNetDevice, writeBlockDevice, writeNetDevice } from "./devices";
import { makeTree, random } from "./fixture";
import { CPU_ID_MAX, readBridges, readCpus, writeCpus } from "./sets";

function value<T>(typed: Typed<T>): T | string {
  return "problem" in typed ? typed.problem : typed.ok;
}

test.each([
  ["512", 512],
  [" 512 MiB ", 512],
  ["512m", 512],
  ["2 GiB", 2048],
  ["1.5 g", 1536],
  ["0.25 TiB", 262_144],
  ["0", 0],
  ["0.5", "`0.5` is no whole number of MiB"],
  ["1.0001 GiB", "`1.0001 GiB` is no whole number of MiB"],
  ["-1", "`-1` is no size: write it like `512`, `512 MiB` or `1.5 GiB`"],
  ["", "`` is no size: write it like `512`, `512 MiB` or `1.5 GiB`"],
  ["1e3", "`1e3` is no size: write it like `512`, `512 MiB` or `1.5 GiB`"],
  ["12 KiB", "`12 KiB` is no size: write it like `512`, `512 MiB` or `1.5 GiB`"],
  [String(AMOUNT_MAX), AMOUNT_MAX],
  ["9007199254740992", "the amount 9007199254740992 is too large: at most 9007199254740991"],
  ["9007199254740991 GiB", "the amount 9223372036854774784 is too large: at most 9007199254740991"],
])("the size %j", (text, expected) => expect(value(readAmount(text))).toBe(expected));

test("every size is written so that it reads back, and nobody counts digits", () => {
  const below = random(5);
  const sizes = [0, 1, 1023, 1024, 1536, 1537, 1024 ** 2, AMOUNT_MAX, ...Array.from({ length: 500 }, () => below(1e7))];
  for (const mib of sizes) expect(value(readAmount(writeAmount(mib)))).toBe(mib);
  expect([512, 1024, 1536, 2560, 3_145_728].map(writeAmount)).toEqual([
    "512 MiB",
    "1 GiB",
    "1.5 GiB",
    "2.5 GiB",
    "3 TiB",
  ]);
});

test.each([
  ["12", 12],
  ["1.5", "`1.5` is no whole number, 0 or more"],
  ["two", "`two` is no whole number, 0 or more"],
])("the count %j", (text, expected) => expect(value(readCount(text))).toBe(expected));

test.each([
  ["", []],
  ["0", [0]],
  ["8, 0-3,2", [0, 1, 2, 3, 8]],
  ["3-0", "`3-0` counts down: write `0-3`"],
  ["a", "`a` is no whole number, 0 or more"],
  ["8192", "the CPU id 8192 is too large: at most 8191"],
])("the CPUs %j", (text, expected) => expect(value(readCpus(text))).toEqual(expected));

test("every set of CPUs is written so that it reads back", () => {
  const below = random(6);
  for (let round = 0; round < 300; round += 1) {
    const ids = [...new Set(Array.from({ length: below(20) }, () => below(30)))].sort((one, other) => one - other);
    expect(value(readCpus(writeCpus(ids)))).toEqual(ids);
  }
  expect(writeCpus([0, 1, 2, 8])).toBe("0-2,8");
});

test("bridges stand in order, each once, however they are separated", () => {
  expect(readBridges(" service,dmz  lan, dmz")).toEqual(["dmz", "lan", "service"]);
  expect(readBridges(" , ")).toEqual([]);
});

describe("what is said without the rules is what the rules say", () => {
  const { policy } = words(makeTree());

  test("the largest amount and the largest CPU id are theirs", () => {
    expect(policy({ memory_mib: AMOUNT_MAX })).toBe(null);
    expect(policy({ memory_mib: AMOUNT_MAX + 1 })).toBe(value(readAmount(String(AMOUNT_MAX + 1))));
    expect(policy({ cpuids: [CPU_ID_MAX] })).toBe(null);
    expect(policy({ cpuids: [CPU_ID_MAX + 1] })).toBe(value(readCpus(String(CPU_ID_MAX + 1))));
  });

  test("names are written as theirs", () => {
    for (const text of ["alice", "Alice:BOB", ":alice:", ":", "", ":a", "a:", "0.x-:Y"]) {
      const tree = makeTree();
      tree.ask({ insert_policy: { domain: text, policy: { unikernels: 0, memory_mib: 0, cpuids: [], bridges: [] } } });
      const answer = tree.ask({ snapshot: {} });
      const [fact] = "snapshot" in answer ? answer.snapshot.snapshot.facts : [];
      expect(fact && "policy" in fact && fact.policy.domain).toBe(canonicalPath(text));
    }
    for (const text of ["web", ":web", "Alice:Web", ":alice:bob:WEB"]) {
      const tree = makeTree();
      tree.ask({ insert_block: { name: text, size_mib: 1 } });
      const answer = tree.ask({ snapshot: {} });
      const [fact] = "snapshot" in answer ? answer.snapshot.snapshot.facts : [];
      expect(fact && "block" in fact && fact.block.name).toBe(canonicalName(text));
    }
  });

  test("devices are filled in as theirs", () => {
    const [blocks, nets] = [
      ["data", "Data", "log:Disk.1", "x:y:4096"],
      ["service", "n:br0", "n@00:80:41:0A:0b:0c"],
    ];
    const read = <T>(typed: Typed<T>): T[] => ("ok" in typed ? [typed.ok] : []);
    for (const text of [...blocks, ...nets]) {
      const tree = makeTree();
      const isBlock = blocks.includes(text);
      const block_devices = isBlock ? read(readBlockDevice(text, SILENT)) : [];
      const bridges = isBlock ? [] : read(readNetDevice(text, SILENT));
      expect(block_devices.length + bridges.length, text).toBe(1);
      const unikernel = { memory_mib: 1, cpuids: [0], block_devices, bridges };
      expect(
        tree.ask({ load: { facts: [{ block: { name: block_devices[0]?.host ?? "unused", size_mib: 1 } }] } }),
      ).toEqual({
        admitted: {},
      });
      expect(tree.ask({ insert_unikernel: { name: "u", unikernel } })).toEqual({ admitted: {} });
      expect(tree.ask({ find_unikernel: { name: "u" } })).toEqual({ unikernel: { unikernel } });
    }
  });

  test("only what cannot be read is a refusal to read", () => {
    const tree = makeTree();
    expect(refusal(tree, { remove_unikernel: { name: "nobody" } })).toBe(null);
    expect(refusal(tree, { find_policy: { domain: "-" } })).toContain("begins with `-`");
  });
});

test("devices are written in the shortest way that reads back", () => {
  for (const text of ["data", "Data:data", "log:disk", "x:y:4096"]) {
    const read = readBlockDevice(text, SILENT);
    expect("ok" in read && writeBlockDevice(read.ok)).toBe(text);
  }
  for (const text of ["service", "net0:br0", "net0@00:80:41:0a:0b:0c", "net0:br0@00:80:41:0a:0b:0c"]) {
    const read = readNetDevice(text, SILENT);
    expect("ok" in read && writeNetDevice(read.ok)).toBe(text);
  }
});

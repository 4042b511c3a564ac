// What only JavaScript can ask, and how fast: run by tests/browser.rs, fails by throwing.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { PolicyTree } from "../../wasm/dist/node/fulmar.js";

const policy = { unikernels: 4, memory_mib: 512, cpuids: [0, 1], bridges: ["br0"] };
const unikernel = { memory_mib: 256, cpuids: [0] };
const malformed = (message) => (error) => {
  assert.ok(error instanceof Error);
  assert.equal(error.code, "malformed");
  assert.equal(error.message, message);
  return true;
};

test("a refusal is an answer, with every reason", () => {
  const tree = new PolicyTree();
  assert.deepEqual(tree.ask({ insert_policy: { domain: "alice", policy } }), { admitted: {} });
  const answer = tree.ask({ check_unikernel: { name: "alice:web", unikernel: { memory_mib: 600, cpuids: [2] } } });
  assert.deepEqual(
    answer.refused.reasons.map(({ code, sentence }) => [code, sentence]),
    [
      ["exceeds-memory", "memory: `alice` allows 512 MiB, 0 in use, 600 asked: over by 88 MiB"],
      ["exceeds-cpuids", "cpuids: `alice` allows 0, 1; not 2"],
    ],
  );
});

test("what is no request is thrown as an error with a code", () => {
  const tree = new PolicyTree();
  const check = (more) => () => tree.ask({ check_unikernel: { name: "a", unikernel: { ...unikernel, ...more } } });
  const find = (domain) => () => tree.ask({ find_policy: { domain } });
  assert.throws(find("a::b"), malformed("a label is empty: write `a:b`, not `a::b`"));
  assert.throws(find(7), malformed("expected a string, found `7`"));
  assert.throws(check({ memory_mib: -1 }), malformed("expected a whole number of at least 0, found `-1`"));
  assert.throws(check({ memory_mib: 0.5 }), malformed("expected a whole number of at least 0, found `0.5`"));
  assert.throws(
    check({ memory_mib: 2 ** 53 }),
    malformed("the amount 9007199254740992 is too large: at most 9007199254740991"),
  );
  assert.throws(
    check({ memory: 1 }),
    malformed("unknown field `memory`; known: `memory_mib`, `cpuids`, `block_devices`, `bridges`"),
  );
  assert.throws(check({ cpuids: "01" }), malformed("expected an array, found a string"));
  assert.throws(check({ cpuids: new Set([0]) }), malformed("a map or a set, expected a plain object or a list"));
  assert.throws(() => tree.ask(undefined), Error);
  assert.throws(() => tree.ask({}), malformed("expected an object with exactly one field, its kind"));
  assert.throws(() => tree.ask({ audit: {}, snapshot: {} }), Error);
  const thrown = {
    get audit() {
      throw new Error("not now");
    },
  };
  assert.throws(() => tree.ask(thrown), malformed("not now"));
  assert.deepEqual(tree.ask({ audit: {} }), { audit: { findings: [] } });
});

test("what JSON has no text for is refused with its name", () => {
  const tree = new PolicyTree();
  const check = (memory_mib) => () => tree.ask({ check_unikernel: { name: "a", unikernel: { memory_mib, cpuids: [0] } } });
  assert.throws(check(NaN), malformed("no value that JSON has: NaN"));
  assert.throws(check(-Infinity), malformed("no value that JSON has: -Infinity"));
  assert.throws(check(1n), malformed("no value that JSON has: a bigint"));
  assert.throws(check(1e300), malformed("the number `1e+300` is too large"));
  assert.throws(check(undefined), malformed("the field `memory_mib` is missing"));
  assert.deepEqual(tree.ask({ check_block: { name: "a", size_mib: 1e3 } }), { admitted: {} });
  const deep = { audit: {} };
  for (let depth = 0, inner = deep.audit; depth < 40; depth++) inner = inner.more = {};
  assert.throws(() => tree.ask(deep), malformed("nested deeper than 32 lists and objects"));
  deep.audit = deep;
  assert.throws(() => tree.ask(deep), malformed("nested deeper than 32 lists and objects"));
  // Half of a surrogate pair, as everywhere where such a text becomes UTF-8.
  assert.throws(() => tree.ask({ usage: { domain: "\ud800" } }), /the label `\ufffd` contains/);
});

test("a snapshot of version 1 is read, and written as it was recorded", () => {
  const tree = new PolicyTree();
  const file = (ending) => new URL(`../vectors/snapshot-1.${ending}`, import.meta.url);
  const bytes = readFileSync(file("bincode"));
  tree.restore(bytes);
  assert.deepEqual(Buffer.from(tree.snapshot()), bytes);
  assert.equal(JSON.stringify(tree.ask({ snapshot: {} }).snapshot), readFileSync(file("json"), "utf8").trimEnd());
});

test("fields that are undefined are not there", () => {
  const tree = new PolicyTree();
  const request = { name: "web", unikernel: { ...unikernel, block_devices: undefined, bridges: undefined } };
  assert.deepEqual(tree.ask({ insert_unikernel: request }), { admitted: {} });
});

test("a proxy is read as what it stands for", () => {
  const tree = new PolicyTree();
  const proxied = new Proxy({ memory_mib: 1, cpuids: new Proxy([0], {}) }, {});
  assert.deepEqual(tree.ask({ insert_unikernel: { name: "web", unikernel: proxied } }), { admitted: {} });
});

test("a snapshot brings everything back, and a damaged one changes nothing", () => {
  const tree = new PolicyTree();
  tree.ask({ insert_policy: { domain: "alice", policy } });
  tree.ask({ insert_unikernel: { name: "alice:web", unikernel } });
  const bytes = tree.snapshot();
  assert.ok(bytes instanceof Uint8Array);
  assert.equal(bytes[0], 1, "the version comes first");
  const other = new PolicyTree();
  other.restore(bytes);
  const everything = { snapshot: {} };
  assert.deepEqual(other.ask(everything), tree.ask(everything));
  assert.deepEqual(other.snapshot(), bytes);
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => other.restore(bytes.subarray(0, length)), { code: "malformed" });
  }
  const newer = Uint8Array.from([2, ...bytes.subarray(1)]);
  assert.throws(() => other.restore(newer), malformed("a snapshot of version 2 cannot be read here: only version 1"));
  assert.deepEqual(other.snapshot(), bytes);
});

test("a check among 100,000 unikernels takes microseconds", (t) => {
  const tree = new PolicyTree();
  const facts = [{ policy: { domain: ":", policy: { ...policy, unikernels: 1e6, memory_mib: 1e9 } } }];
  for (let n = 0; n < 100_000; n++) {
    facts.push({ unikernel: { name: `d${n % 100}:u${n}`, unikernel: { memory_mib: 16, cpuids: [n % 2] } } });
  }
  assert.deepEqual(tree.ask({ load: { facts } }), { admitted: {} });
  const request = { check_unikernel: { name: "d7:new", unikernel: { memory_mib: 32, cpuids: [0, 1] } } };
  const rounds = 20_000;
  let best = Infinity;
  for (let turn = 0; turn < 5; turn++) {
    const start = performance.now();
    for (let n = 0; n < rounds; n++) tree.ask(request);
    best = Math.min(best, ((performance.now() - start) * 1000) / rounds);
  }
  t.diagnostic(`a check takes ${best.toFixed(2)} µs`);
  // Measured: 9 µs while others compiled. The bound is wide: other tests run at the same time.
  assert.ok(best < 100, `${best} µs`);
});

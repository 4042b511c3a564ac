/**
 * The steps of a plan as tables of fields: what TOML, JSON and links have in common.
 *
 * Owns the fields of each kind of step, as the host reads them (`host/src/cli/preview/plan.rs`), in the same order, with the same
 * sentences at the same places: `tests/plans/refused.json` holds both to that.
 */

import type { Name, Path, Policy, Unikernel } from "fulmar-browser";
import { canonicalName, canonicalPath } from "../plan/names";
import { COUNT_MAX, STEPS_MAX, type Step, type UnikernelStep } from "../plan/plan";
import { numbered, requests, weight } from "../plan/steps";
import { tooLarge, type Typed } from "./amount";
import { type Core, SILENT, type Words, refusal, words } from "./core";
import { readBlockDevice, readNetDevice, writeBlockDevice, writeNetDevice } from "./devices";
import { type Field, Fields, type Located } from "./located";
import { Wrong } from "./problem";
import { readCpus, sortedBridges, writeCpus } from "./sets";

const KINDS = ["policy", "unikernel", "block", "remove_policy", "remove_unikernel", "remove_block"] as const;

/** A plan says something; what is kept of a page may say nothing yet. */
export type Emptiness = "needs a step" | "may be empty";

/** The steps of `{ step: [...] }`. Throws `Wrong`. */
export function readSteps(document: Located, core: Core, emptiness: Emptiness): Step[] {
  if (document.value.is !== "table") throw new Wrong(document.at, "this is no plan: a plan is a table of steps");
  const fields = new Fields(document.at, document.value.entries);
  fields.only("a plan", ["step"]);
  const steps: Step[] = [];
  let count = 0;
  for (const table of fields.take("step")?.tables() ?? []) {
    const step = readStep(table, core);
    count += weight(step);
    if (count > STEPS_MAX)
      throw new Wrong(table.at, `the plan has more than ${STEPS_MAX} steps, each unikernel of a \`count\` counted`);
    steps.push(step);
  }
  if (steps.length === 0 && emptiness === "needs a step")
    throw new Wrong(0, "the plan has no steps: begin one with `[[step]]`");
  return steps;
}

/** Asking about a whole step is one question, about its values many: those are asked only to find the first one that is wrong. */
function readStep(table: Fields, core: Core): Step {
  const read = attempted(table.again(), core);
  if (!(read instanceof Wrong)) return read;
  entry(table, words(core));
  throw read;
}

function attempted(table: Fields, core: Core): Step | Wrong {
  try {
    const step = entry(table, SILENT);
    const sentence = unreadable(step, core);
    return sentence === null ? step : new Wrong(table.at, sentence);
  } catch (error) {
    if (error instanceof Wrong) return error;
    throw error;
  }
}

function unreadable(step: Step, core: Core): string | null {
  if (step.kind === "unikernel") {
    const { name, count, unikernel } = step;
    // The last one of a count has the longest name.
    return refusal(core, { check_unikernel: { name: count === null ? name : numbered(name, count), unikernel } });
  }
  // Tried on the spot and taken back: the answer does not matter.
  return refusal(core, { plan: { steps: requests(step), after_refusal: "stop", look_at: "nowhere" } });
}

function entry(fields: Fields, words: Words): Step {
  const kinds = KINDS.flatMap((kind) => {
    const subject = fields.take(kind);
    return subject ? [{ kind, subject }] : [];
  });
  const [first, second] = kinds;
  if (!first) {
    const known = KINDS.map((kind) => `\`${kind}\``).join(", ");
    throw new Wrong(fields.at, `a step says what it is about by one of ${known}`);
  }
  if (second) {
    const sentence = `the step has a \`${first.kind}\` already: give \`${second.kind}\` a step of its own`;
    throw second.subject.wrong(sentence);
  }
  const { kind, subject } = first;
  switch (kind) {
    case "policy":
      return policyStep(path(subject, words), fields, words);
    case "unikernel":
      return unikernelStep(subject, fields, words);
    case "block":
      return blockStep(name(subject, words), fields, words);
    case "remove_policy":
      return alone(fields, kind, { kind, domain: path(subject, words) });
    case "remove_unikernel":
    case "remove_block":
      return alone(fields, kind, { kind, name: name(subject, words) });
  }
}

function alone(fields: Fields, kind: string, step: Step): Step {
  fields.only(`the step \`${kind}\``, [kind]);
  return step;
}

function policyStep(domain: Path, fields: Fields, words: Words): Step {
  const what = "a policy";
  fields.only(what, ["policy", "unikernels", "memory_mib", "block_mib", "cpuids", "bridges"]);
  const unikernels = amount(fields.need("unikernels", what));
  const memory_mib = amount(fields.need("memory_mib", what));
  const block = fields.take("block_mib");
  const block_mib = block ? amount(block) : null;
  const ids = fields.take("cpuids");
  const cpuids = ids ? cpus(ids) : [];
  const named = fields.take("bridges");
  const bridges = named ? bridgesOf(named, words) : [];
  return { kind: "policy", domain, policy: { unikernels, memory_mib, block_mib, cpuids, bridges } };
}

function bridgesOf(field: Field, words: Words): string[] {
  const bridges = field.items().map((item) => {
    const bridge = item.text();
    said(item, words.policy({ bridges: [bridge] }));
    return bridge;
  });
  said(field, words.policy({ bridges }));
  return sortedBridges(bridges);
}

function unikernelStep(subject: Field, fields: Fields, words: Words): UnikernelStep {
  const base = name(subject, words);
  const what = "a unikernel";
  fields.only(what, ["unikernel", "count", "memory_mib", "cpuids", "block_devices", "bridges"]);
  const memory = fields.need("memory_mib", what);
  const memory_mib = amount(memory);
  const ids = fields.need("cpuids", what);
  const cpuids = cpus(ids);
  said(memory, words.unikernel({ memory_mib }));
  said(ids, words.unikernel({ cpuids }));
  const blocks = fields.take("block_devices");
  const block_devices = (blocks?.items() ?? []).map((item) => typed(item, readBlockDevice(item.text(), words)));
  if (blocks) said(blocks, words.unikernel({ block_devices }));
  const nets = fields.take("bridges");
  const bridges = (nets?.items() ?? []).map((item) => typed(item, readNetDevice(item.text(), words)));
  if (nets) said(nets, words.unikernel({ bridges }));
  const many = fields.take("count");
  const count = many ? countOf(many) : null;
  // The first of a count whose name is too long has one digit more than the one before it.
  for (let number = 1; count !== null && number <= count; number *= 10)
    said(subject, words.name(numbered(base, number)));
  return { kind: "unikernel", name: base, count, unikernel: { memory_mib, cpuids, block_devices, bridges } };
}

function countOf(field: Field): number {
  const count = field.number();
  if (count === 0n) throw field.wrong("a count of unikernels is 1 or more");
  if (count > COUNT_MAX) throw field.wrong(`${count} are too many for one step: at most ${COUNT_MAX}`);
  return Number(count);
}

function blockStep(name: Name, fields: Fields, words: Words): Step {
  const what = "a block device";
  fields.only(what, ["block", "size_mib"]);
  const size = fields.need("size_mib", what);
  const size_mib = amount(size);
  said(size, words.blockSize(size_mib));
  return { kind: "block", name, size_mib };
}

function path(field: Field, words: Words): Path {
  const text = field.text();
  said(field, words.path(text));
  return canonicalPath(text);
}

function name(field: Field, words: Words): Name {
  const text = field.text();
  said(field, words.name(text));
  return canonicalName(text);
}

function amount(field: Field): number {
  const number = field.number();
  said(field, tooLarge(number));
  return Number(number);
}

function cpus(field: Field): number[] {
  return typed(field, readCpus(field.text()));
}

function typed<T>(field: Field, read: Typed<T>): T {
  if ("problem" in read) throw field.wrong(read.problem);
  return read.ok;
}

/** Throws what there is to say against a field. */
function said(field: Field, sentence: string | null): void {
  if (sentence !== null) throw field.wrong(sentence);
}

/** A step as a table: the field that says what it is about first, none that says nothing. */
export type Table = { [field: string]: string | number | string[] };

/** What is read back as this step. */
export function stepTable(step: Step): Table {
  switch (step.kind) {
    case "policy":
      return { policy: step.domain, ...policyFields(step.policy) };
    case "unikernel":
      return {
        unikernel: step.name,
        ...(step.count === null ? {} : { count: step.count }),
        ...unikernelFields(step.unikernel),
      };
    case "block":
      return { block: step.name, size_mib: step.size_mib };
    case "remove_policy":
      return { remove_policy: step.domain };
    case "remove_unikernel":
      return { remove_unikernel: step.name };
    case "remove_block":
      return { remove_block: step.name };
  }
}

function policyFields({ unikernels, memory_mib, block_mib, cpuids, bridges }: Policy): Table {
  return {
    unikernels,
    memory_mib,
    ...(block_mib === null ? {} : { block_mib }),
    ...(cpuids.length === 0 ? {} : { cpuids: writeCpus(cpuids) }),
    ...(bridges.length === 0 ? {} : { bridges: [...bridges] }),
  };
}

function unikernelFields({ memory_mib, cpuids, block_devices, bridges }: Unikernel): Table {
  return {
    memory_mib,
    cpuids: writeCpus(cpuids),
    ...(block_devices.length === 0 ? {} : { block_devices: block_devices.map(writeBlockDevice) }),
    ...(bridges.length === 0 ? {} : { bridges: bridges.map(writeNetDevice) }),
  };
}

/**
 * What the page holds: the plan with its history, what is looked at, and what the rules last said.
 *
 * The one owner of the page's state. Views read it and call what they want done by its name; each edit makes another plan, and each
 * change of plan or look is asked of the rules. Knows no markup, and no rule.
 */

import { untrack } from "svelte";
import type { Name, Path, Policy, Request, Unikernel } from "fulmar-browser";
import { duplicateDomain } from "../plan/edit";
import { begin, record, redo, settle, undo } from "../plan/history";
import type { History } from "../plan/history";
import { ROOT, join, parentOf } from "../plan/names";
import { find, isGone, outline } from "../plan/outline";
import type { Domain, Placed } from "../plan/outline";
import { EXAMPLE } from "../plan/example";
import { EMPTY } from "../plan/plan";
import type { Plan, Step } from "../plan/plan";
import type { Edited } from "../plan/splice";
import { OUTCOME } from "../rules/messages";
import type { Answer, Outcome, Refused, RowAnswer } from "../rules/messages";
import { tell } from "../formats/problem";
import { Rules } from "../rules/rules";
import type { Asked, Channel } from "../rules/rules";
import type { Kept } from "./keep";
import { delegates } from "./delegates";
import { link } from "./source";
import type { Source } from "./source";
import { counted } from "./values";
import { visible } from "./visible";

/** Something to tell. What is bad stays until it is dismissed, or something else is told. */
export interface Message {
  readonly tone: "good" | "bad";
  readonly text: string;
}

/** What is to be seen of one domain where there is room for one thing only. */
export type Panel = "tree" | "domain" | "allows" | "steps";

/** How long good news stay: time to read a sentence. */
const GOOD_NEWS_MS = 8000;

/** A list of more rows is shown in parts. */
export const ITEMS_SHOWN = 100;

export class Desk {
  history: History = $state.raw(begin(EMPTY));
  selected: Path = $state(ROOT);
  folded: ReadonlySet<Path> = $state.raw(new Set<Path>());
  stop = $state(false);
  storyTold = $state(false);
  sharing = $state(false);
  /** Whether there is a plan to show at all: a link takes a moment to read. */
  isReady = $state(false);
  kept: Kept = $state("in the address");
  message: Message | null = $state.raw(null);
  panel: Panel = $state("tree");
  /** What is on screen; the lists say so as they are scrolled. */
  rows: readonly Path[] = $state.raw([]);
  stepsShown: readonly number[] = $state.raw([]);
  itemsShown = $state(ITEMS_SHOWN);
  wish: Unikernel | null = $state.raw(null);
  factsWanted = $state(false);
  /** The step to bring on screen; another object each time. */
  stepWanted: { readonly index: number } | null = $state.raw(null);
  #open: ReadonlySet<Name> = $state.raw(new Set<Name>());
  broken: string | null = $state(null);

  readonly plan = $derived(this.history.present);
  readonly outline = $derived(outline(this.plan));
  readonly domain: Domain | null = $derived(find(this.outline, this.selected));
  readonly tree: readonly Domain[] = $derived(visible(this.outline, this.folded));
  readonly canUndo = $derived(this.history.past.length > 0);
  readonly canRedo = $derived(this.history.future.length > 0);

  readonly rules: Rules;
  #said: { readonly answer: Answer; readonly asked: Asked } | null = $state.raw(null);

  constructor(channel: Channel) {
    this.rules = new Rules(channel, (outcome) => {
      if ("answer" in outcome) {
        this.#said = outcome;
        this.broken = null;
      } else this.broken = outcome.problem;
    });
  }

  /** What is on screen. Lists draw themselves anew with each answer, so the same again is no news: it would be asked for ever. */
  shows(seen: { rows?: readonly Path[]; steps?: readonly number[]; wish?: Unikernel }): void {
    if (
      seen.rows &&
      !isSame(
        seen.rows,
        untrack(() => this.rows),
      )
    )
      this.rows = seen.rows;
    if (
      seen.steps &&
      !isSame(
        seen.steps,
        untrack(() => this.stepsShown),
      )
    )
      this.stepsShown = seen.steps;
    if (
      seen.wish &&
      !isSame(
        seen.wish,
        untrack(() => this.wish),
      )
    )
      this.wish = seen.wish;
  }

  /** Asks whatever is looked at; to be called in an effect, which runs again when any of it changes. */
  ask(): void {
    const domain = this.domain?.path ?? null;
    const look = {
      rows: [...new Set([...this.rows, ...chain(this.selected)])],
      domain,
      delegates: this.domain ? delegates(this.outline, this.domain) : [],
      steps: [...new Set([...this.stepsShown, ...this.#stepsOfDomain()])],
      wish: this.wish && domain !== null ? { domain, unikernel: this.wish } : null,
      facts: this.factsWanted,
    };
    this.rules.ask({ plan: this.plan, stop: this.stop, look });
  }

  /** What the rules said last, which may be about the plan of a moment ago. */
  get answer(): Answer | null {
    return this.#said?.answer ?? null;
  }

  /** Whether that is about what stands there now. */
  get isCurrent(): boolean {
    return this.#said?.asked.plan === this.plan && this.#said.asked.stop === this.stop;
  }

  row(path: Path): RowAnswer | null {
    return this.answer?.rows.get(path) ?? null;
  }

  /** Where the step is about something else than the one that was tried nothing is known of it yet. */
  outcome(index: number): Outcome | null {
    if (!this.#said || !isAboutSame(this.#said.asked.plan.steps[index], this.plan.steps[index])) return null;
    return (this.#said.answer.outcomes[index] ?? null) as Outcome | null;
  }

  refused(index: number): readonly Refused[] {
    return this.outcome(index) === null ? [] : (this.answer?.refused.get(index) ?? []);
  }

  /** By domain: how many of its steps are refused, itself and everything below it. */
  readonly refusals: ReadonlyMap<Path, number> = $derived.by(() => {
    const counts = new Map<Path, number>();
    if (!this.#said) return counts;
    const { answer, asked } = this.#said;
    for (const [index, outcome] of answer.outcomes.entries()) {
      const step = asked.plan.steps[index];
      if (!step || outcome === OUTCOME.admitted || outcome === OUTCOME.not_tried) continue;
      for (const path of chain(domainOf(step))) counts.set(path, (counts.get(path) ?? 0) + 1);
    }
    return counts;
  });

  /** Domains that steps are about, where there is a base that they change. */
  readonly touched: ReadonlySet<Path> = $derived(
    new Set(this.plan.base ? this.plan.steps.map((step) => domainOf(step)) : []),
  );

  /** Takes over an edit. Says why not, where it is none; then nothing is changed. */
  edit(edited: Edited, field: string | null = null): string | null {
    if ("problem" in edited) return edited.problem;
    this.history = record(this.history, edited.plan, field);
    this.#stay();
    return null;
  }

  /** The same, where a person typed a name: the rules say whether it is one. */
  async editNamed(requests: readonly Request[], edit: (plan: Plan) => Edited): Promise<string | null> {
    const said = await this.rules.say(requests);
    for (const one of said) if ("problem" in one) return one.problem;
    return this.edit(edit(this.plan));
  }

  /** Another plan in place of this one, which undo brings back. */
  open(plan: Plan, text: string | null): void {
    this.history = record(settle(this.history), plan, null);
    this.#look(plan);
    this.storyTold = false;
    if (text) this.tell("good", text);
  }

  /** The plan that the page begins with: there is nothing to undo. */
  begin(plan: Plan): void {
    this.history = begin(plan);
    this.#look(plan);
    this.storyTold = plan === EXAMPLE;
  }

  /** Reads a source and takes over what it holds; where it is damaged the plan stays as it is. */
  async take(source: Source): Promise<void> {
    const read = await source.read(this.rules);
    if ("problem" in read) return this.tell("bad", tell(read.problem));
    const { ok } = read;
    if (ok.kind === "plan") {
      // A file of steps is tried on what is there; a link brings its own.
      const base = ok.plan.base ?? this.plan.base;
      const on = base ? `, on \`${base.title}\`` : "";
      this.open({ base, steps: ok.plan.steps }, `Opened ${source.title}${on}: undo brings back what was here`);
    } else {
      const plan = this.plan === EXAMPLE ? EMPTY : this.plan;
      const steps = plan.steps.length > 0 ? `: the ${counted(plan.steps.length, "step")} are tried on it` : "";
      this.open({ base: ok.base, steps: plan.steps }, `This is now about \`${ok.base.title}\`${steps}`);
      this.selected = ROOT;
    }
  }

  /** What the page begins with: the link that it was opened with, what this tab keeps, or the example. */
  async start(fragment: string, kept: string | null): Promise<void> {
    const given = fragment.length > 1 ? fragment : kept;
    const read = given === null ? null : await link(given).read(this.rules);
    if (read === null) this.begin(EXAMPLE);
    else if ("problem" in read) {
      this.begin(EMPTY);
      this.tell("bad", tell(read.problem));
    } else if (read.ok.kind === "plan") {
      this.begin(read.ok.plan);
      if (given === kept) this.kept = "in this tab";
    }
    this.isReady = true;
  }

  clear(): void {
    this.open(EMPTY, null);
  }

  #look(plan: Plan): void {
    this.folded = new Set();
    this.wish = null;
    this.selected = firstOf(plan);
    // How to begin is told there.
    if (plan.steps.length === 0 && plan.base === null) this.panel = "domain";
  }

  settle(): void {
    this.history = settle(this.history);
  }

  undo(): void {
    this.history = undo(this.history);
    this.#stay();
  }

  redo(): void {
    this.history = redo(this.history);
    this.#stay();
  }

  select(path: Path): void {
    this.selected = path;
    this.itemsShown = ITEMS_SHOWN;
    this.wish = null;
    this.unfold(parentOf(path));
  }

  fold(path: Path, fold: boolean): void {
    const folded = new Set(this.folded);
    if (fold) folded.add(path);
    else folded.delete(path);
    this.folded = folded;
  }

  /** Opens a domain and all above it. */
  unfold(path: Path | null): void {
    if (path === null || !chain(path).some((above) => this.folded.has(above))) return;
    const folded = new Set(this.folded);
    for (const above of chain(path)) folded.delete(above);
    this.folded = folded;
  }

  /** What the page does when a file is to be chosen: set by what draws the input for it. */
  chooseFile: () => void = () => undefined;

  tell(tone: Message["tone"], text: string): void {
    const message = { tone, text };
    this.message = message;
    if (tone === "good") setTimeout(() => this.message === message && (this.message = null), GOOD_NEWS_MS);
  }

  /** Takes over an edit and says what was done, or why not. */
  report(edited: Edited, done: string | null): void {
    const problem = this.edit(edited);
    if (problem !== null) this.tell("bad", problem);
    else if (done !== null) this.tell("good", done);
  }

  /** Copies a domain with everything below it, and goes to the copy. */
  duplicate(path: Path): void {
    const before = this.outline.at;
    this.report(duplicateDomain(this.plan, path, null), null);
    const copy = this.outline.domains.find((domain) => !before.has(domain.path));
    if (!copy) return;
    this.select(copy.path);
    this.tell("good", `Copied \`${path}\` to \`${copy.path}\``);
  }

  /** The policy that is wanted for the domain, or for the nearest one above it that has any. */
  policyAbove(path: Path): Policy | null {
    for (const above of chain(path)) {
      const policy = find(this.outline, above)?.policy;
      if (policy && !isGone(policy)) return policy.value;
    }
    return null;
  }

  /** A new name for a thing: a label stays in its domain, anything with a colon is a whole name. */
  nameFrom(name: Name, text: string): Name {
    return text.includes(":") ? text : join(parentOf(name) ?? ROOT, text);
  }

  /** Goes where a sentence leads. */
  follow(path: Path): void {
    if (this.outline.at.has(path)) {
      this.select(path);
      if (this.panel === "steps" || this.panel === "tree") this.panel = "domain";
    } else this.tell("bad", `\`${path}\` is not in the plan any more`);
  }

  /** Into the first field of the domain. */
  editDomain(): void {
    this.panel = "domain";
    requestAnimationFrame(() => document.querySelector<HTMLElement>("[data-first]")?.focus());
  }

  showStep(index: number): void {
    this.panel = "steps";
    this.stepWanted = { index };
  }

  isOpen(name: Name): boolean {
    return this.#open.has(name);
  }

  toggleOpen(name: Name): void {
    const open = new Set(this.#open);
    if (!open.delete(name)) open.add(name);
    this.#open = open;
  }

  /** An edit may have taken away what was selected: then the nearest above is. */
  #stay(): void {
    const { at } = this.outline;
    let path: Path | null = this.selected;
    while (path !== null && !at.has(path)) path = parentOf(path);
    this.selected = path ?? ROOT;
  }

  #stepsOfDomain(): number[] {
    const domain = this.domain;
    if (!domain) return [];
    const shown: (Placed<unknown> | null)[] = [
      domain.policy,
      ...domain.unikernels.slice(0, this.itemsShown),
      ...domain.blocks.slice(0, this.itemsShown),
    ];
    return shown.flatMap((placed) => (placed?.origin.from === "step" ? [placed.origin.index] : []));
  }
}

/** While a value is typed the last verdict stays until the next one comes: that is a matter of milliseconds. */
function isAboutSame(left: Step | undefined, right: Step | undefined): boolean {
  if (!left || !right || left === right) return left === right;
  const name = (step: Step) => ("domain" in step ? step.domain : step.name);
  const count = (step: Step) => (step.kind === "unikernel" ? step.count : null);
  return left.kind === right.kind && name(left) === name(right) && count(left) === count(right);
}

/** Of plain values: whether they are written the same. */
export function isSame(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

/** The domain and all above it, the nearest first. */
export function chain(path: Path): Path[] {
  const paths: Path[] = [];
  for (let next: Path | null = path; next !== null; next = parentOf(next)) paths.push(next);
  return paths;
}

/** The domain that a step is about. */
export function domainOf(step: Step): Path {
  return "domain" in step ? step.domain : (parentOf(step.name) ?? ROOT);
}

/** What somebody wants to see first who opens a plan: the first domain that it is about. */
function firstOf(plan: Plan): Path {
  const [first] = plan.steps;
  return first ? domainOf(first) : ROOT;
}

/**
 * The tree of the document: the base, and the steps tried on it one after the other.
 *
 * Owns the `PolicyTree` and what became of each step. Decides nothing: every verdict is an answer of the rules.
 */

import { PolicyTree } from "fulmar-browser";
import type { ExplainedReason, Response } from "fulmar-browser";
import type { Step } from "../plan/plan";
import { requests } from "../plan/steps";
import { OUTCOME } from "./messages";
import type { Outcome, Question, Refused, Tally } from "./messages";

/** What became of one step. */
interface Done {
  readonly outcome: Outcome;
  readonly tally: Tally;
  readonly refused: readonly Refused[];
}

export class PlannedTree {
  rules = new PolicyTree();
  #base: Uint8Array | null = null;
  #steps: readonly Step[] = [];
  #done: Done[] = [];
  #stop = false;
  /** Whether what was tried last is no longer what is asked for: an error came in between. */
  #stale = false;

  /** Takes over what changed, and tries everything again where anything did. */
  apply(question: Question): void {
    const { base, splice, stop } = question;
    if (base) this.#base = base.snapshot;
    if (splice) {
      this.#steps = [
        ...this.#steps.slice(0, splice.at),
        ...splice.insert,
        ...this.#steps.slice(splice.at + splice.remove),
      ];
    }
    if (base || splice || stop !== this.#stop) this.#stale = true;
    this.#stop = stop;
    if (this.#stale) this.#tryAll();
    this.#stale = false;
  }

  outcomes(): Uint8Array {
    return Uint8Array.from(this.#done, ({ outcome }) => outcome);
  }

  tally(): Tally {
    return this.#done.reduce((sum, { tally }) => added(sum, tally), NOTHING);
  }

  refused(step: number): readonly Refused[] {
    return this.#done[step]?.refused ?? [];
  }

  #tryAll(): void {
    this.#done = [];
    this.rules.free();
    this.rules = new PolicyTree();
    if (this.#base) this.rules.restore(this.#base);
    let stopped = false;
    for (const step of this.#steps) {
      const done: Done = stopped ? notTried(step) : this.#try(step);
      stopped ||= this.#stop && done.tally.refused > 0;
      this.#done.push(done);
    }
  }

  #try(step: Step): Done {
    const refused: { from: number; to: number; reasons: readonly ExplainedReason[] }[] = [];
    const tally = { admitted: 0, refused: 0, not_tried: 0 };
    for (const [nth, request] of requests(step).entries()) {
      if (this.#stop && tally.refused > 0) {
        tally.not_tried += 1;
        continue;
      }
      const reasons = reasonsOf(this.rules.ask(request));
      if (!reasons) {
        tally.admitted += 1;
        continue;
      }
      tally.refused += 1;
      const last = refused.at(-1);
      if (last?.to === nth - 1 && same(last.reasons, reasons)) last.to = nth;
      else refused.push({ from: nth, to: nth, reasons });
    }
    const outcome = !tally.refused ? OUTCOME.admitted : tally.admitted ? OUTCOME.partly : OUTCOME.refused;
    return { outcome, tally, refused };
  }
}

const NOTHING: Tally = { admitted: 0, refused: 0, not_tried: 0 };

function added(a: Tally, b: Tally): Tally {
  return {
    admitted: a.admitted + b.admitted,
    refused: a.refused + b.refused,
    not_tried: a.not_tried + b.not_tried,
  };
}

function notTried(step: Step): Done {
  return { outcome: OUTCOME.not_tried, tally: { ...NOTHING, not_tried: requests(step).length }, refused: [] };
}

/** None where it is admitted. */
function reasonsOf(response: Response): readonly ExplainedReason[] | null {
  return "refused" in response ? response.refused.reasons : null;
}

/** Whether two refusals read the same. */
function same(a: readonly ExplainedReason[], b: readonly ExplainedReason[]): boolean {
  return a.length === b.length && a.every(({ sentence }, index) => sentence === b[index]?.sentence);
}

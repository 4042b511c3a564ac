/**
 * What the page and its worker say to each other.
 *
 * Plain values that can be cloned. Nothing is asked for that is not looked at: an answer is as large as the screen, not as the tree.
 */

import type {
  Amount,
  DomainReport,
  ExplainedReason,
  Fact,
  HandedOn,
  Headroom,
  Path,
  Policy,
  Request,
  Response,
  Unikernel,
  Usage,
} from "fulmar-browser";
import type { Dropped } from "../formats/file";
import type { Read } from "../formats/problem";
import type { Step } from "../plan/plan";

/** What changed in the list of steps since the last question: a typed letter is one step, whatever the list's length. */
export interface Splice {
  readonly at: number;
  readonly remove: number;
  readonly insert: readonly Step[];
}

/** What a wish is about: how many of these fit there. */
export interface Wish {
  readonly domain: Path;
  readonly unikernel: Unikernel;
}

/** What is looked at. */
export interface Look {
  /** The rows of the tree that are on screen. */
  readonly rows: readonly Path[];
  /** The domain that is shown in full. */
  readonly domain: Path | null;
  /** The domains right below it to which it may have handed something on. */
  readonly delegates: readonly Path[];
  /** The steps whose reasons are shown. */
  readonly steps: readonly number[];
  readonly wish: Wish | null;
  /** Whether the facts are wanted, for the difference. */
  readonly facts: boolean;
}

export interface Question {
  /** The state to start from, where it is another one than before. */
  readonly base: { readonly snapshot: Uint8Array | null } | null;
  readonly splice: Splice | null;
  /** Whether nothing is tried after a refusal. */
  readonly stop: boolean;
  readonly look: Look;
}

/** What became of a step of the document, which may stand for many unikernels. */
export const OUTCOME = { admitted: 0, partly: 1, refused: 2, not_tried: 3 } as const;
export type Outcome = (typeof OUTCOME)[keyof typeof OUTCOME];

/** Unikernels of a step that follow each other and are refused with the same words; a step without a count is the first one. */
export interface Refused {
  readonly from: number;
  readonly to: number;
  readonly reasons: readonly ExplainedReason[];
}

/** How many came to what, each unikernel of a count counted. */
export interface Tally {
  readonly admitted: number;
  readonly refused: number;
  readonly not_tried: number;
}

/** What a row of the tree shows. */
export interface RowAnswer {
  readonly policy: Policy | null;
  readonly usage: Usage;
  readonly headroom: Headroom;
  readonly handed_on: HandedOn;
}

export interface Delegate {
  readonly domain: Path;
  readonly policy: Policy;
  /** What it and everything below it use. */
  readonly usage: Usage;
}

export interface DomainAnswer extends Omit<DomainReport, "blocks" | "unikernels"> {
  /** The policies right below that are asked for and hold, in the order asked. */
  readonly delegates: readonly Delegate[];
}

/** How many fit, or why the wish is none. */
export type WishAnswer =
  | { readonly count: Amount; readonly then: readonly ExplainedReason[]; readonly asked: Wish }
  | { readonly problem: string; readonly asked: Wish };

export interface Answer {
  /** One `Outcome` for each step. */
  readonly outcomes: Uint8Array;
  readonly tally: Tally;
  /** The refusals of the steps asked for. */
  readonly refused: ReadonlyMap<number, readonly Refused[]>;
  readonly rows: ReadonlyMap<Path, RowAnswer>;
  readonly domain: DomainAnswer | null;
  readonly wish: WishAnswer | null;
  readonly facts: readonly Fact[] | null;
  /** How long the worker took, in milliseconds. */
  readonly took_ms: number;
}

export type ToWorker =
  | { readonly kind: "question"; readonly question: Question }
  /** Asked of a tree that holds nothing: whether the values are in order, not whether they fit. */
  | { readonly kind: "requests"; readonly requests: readonly Request[] }
  /** Reading asks the rules about every value, on trees of its own. */
  | { readonly kind: "file"; readonly bytes: Uint8Array; readonly title: string }
  | { readonly kind: "link"; readonly fragment: string };

/** What the rules say to each request; an error says why it is none. */
export type Said = { readonly response: Response } | { readonly code: string; readonly problem: string };

export type FromWorker =
  | { readonly kind: "answer"; readonly answer: Answer }
  | { readonly kind: "said"; readonly said: readonly Said[] }
  | { readonly kind: "read"; readonly read: Read<Dropped> }
  /** It cannot be answered: the base or a value is none, or the module is broken. */
  | { readonly kind: "problem"; readonly problem: string };

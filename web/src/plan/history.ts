/**
 * Undo and redo: the plans that were, and the ones that were taken back.
 *
 * Owns what counts as one edit: typing in one field does, until the person is somewhere else. Plans are never changed, so
 * keeping them costs what differs between them.
 */

import type { Plan } from "./plan";

/** How far one can go back. */
export const EDITS_MAX = 500;

export interface History {
  /** The last one is the one that undo brings back. */
  readonly past: readonly Plan[];
  readonly present: Plan;
  /** The first one is the one that redo brings back. */
  readonly future: readonly Plan[];
  /** The field that is being typed into. */
  readonly field: string | null;
}

/** Nothing to undo yet. */
export function begin(plan: Plan): History {
  return { past: [], present: plan, future: [], field: null };
}

/** Another plan. Where `field` is the one of the last edit it is one edit with it; what was taken back cannot be redone. */
export function record(history: History, plan: Plan, field: string | null): History {
  if (plan === history.present) return history;
  const isSame = field !== null && field === history.field;
  const past = isSame ? history.past : [...history.past, history.present].slice(-EDITS_MAX);
  return { past, present: plan, future: [], field };
}

/** The person has left the field: what is typed next is another edit. */
export function settle(history: History): History {
  return history.field === null ? history : { ...history, field: null };
}

/** The plan before the last edit; the same where there is none. */
export function undo(history: History): History {
  const present = history.past.at(-1);
  if (!present) return history;
  return { past: history.past.slice(0, -1), present, future: [history.present, ...history.future], field: null };
}

/** The plan that was taken back last; the same where there is none. */
export function redo(history: History): History {
  const [present, ...future] = history.future;
  if (!present) return history;
  return { past: [...history.past, history.present], present, future, field: null };
}

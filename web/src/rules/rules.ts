/**
 * The page's end of the worker: questions go out one at a time, and the latest wins.
 *
 * While one is being answered, only the newest of those that follow is kept: somebody who types fast sees the answer to what
 * stands there now, never a queue of answers to what stood there. Knows what the worker holds, so that only changes are sent.
 */

import type { Request } from "fulmar-browser";
import type { Dropped } from "../formats/file";
import { refused } from "../formats/problem";
import type { Read } from "../formats/problem";
import type { Plan, Step } from "../plan/plan";
import type { Answer, FromWorker, Look, Question, Said, Splice, ToWorker } from "./messages";

/** What an answer is about. */
export interface Asked {
  readonly plan: Plan;
  readonly stop: boolean;
  readonly look: Look;
}

/** Anything with a worker's two ends: the tests have one of their own. */
export interface Channel {
  postMessage(message: ToWorker): void;
  addEventListener(type: "message", listener: (event: { data: FromWorker }) => void): void;
  addEventListener(type: "error", listener: (event: { message?: string }) => void): void;
}

type Listener = (outcome: { readonly answer: Answer; readonly asked: Asked } | { readonly problem: string }) => void;

export class Rules {
  readonly #channel: Channel;
  readonly #listener: Listener;
  /** What the worker was told last. */
  #told: { base: Plan["base"]; steps: readonly Step[] } = { base: null, steps: [] };
  #asked: Asked | null = null;
  #next: Asked | null = null;
  /** Errands in the order in which the worker answers them. */
  readonly #waiting: ((message: FromWorker) => void)[] = [];

  constructor(channel: Channel, listener: Listener) {
    this.#channel = channel;
    this.#listener = listener;
    channel.addEventListener("message", ({ data }) => this.#waiting.shift()?.(data));
    channel.addEventListener("error", ({ message }) => {
      listener({ problem: message ? `the rules could not be loaded: ${message}` : "the rules could not be loaded" });
    });
  }

  /** The answer goes to the listener, unless something newer is asked before it is this one's turn. */
  ask(asked: Asked): void {
    if (this.#asked) this.#next = asked;
    else this.#send(asked);
  }

  /** Whether these are requests at all, each by itself: nothing else is in the tree that is asked. */
  async say(requests: readonly Request[]): Promise<readonly Said[]> {
    const message = await this.#errand({ kind: "requests", requests });
    if (message.kind === "said") return message.said;
    throw new Error(problemOf(message));
  }

  /** What a file holds. */
  readFile(bytes: Uint8Array, title: string): Promise<Read<Dropped>> {
    return this.#read({ kind: "file", bytes, title });
  }

  /** What the fragment of an address holds. */
  readLink(fragment: string): Promise<Read<Dropped>> {
    return this.#read({ kind: "link", fragment });
  }

  async #read(errand: ToWorker): Promise<Read<Dropped>> {
    const message = await this.#errand(errand);
    return message.kind === "read" ? message.read : refused(problemOf(message));
  }

  #send(asked: Asked): void {
    this.#asked = asked;
    const { plan, stop, look } = asked;
    const base = plan.base === this.#told.base ? null : { snapshot: plan.base?.snapshot ?? null };
    const question: Question = { base, splice: splice(this.#told.steps, plan.steps), stop, look };
    this.#told = { base: plan.base, steps: plan.steps };
    void this.#errand({ kind: "question", question }).then((message) => this.#take(asked, message));
  }

  #take(asked: Asked, message: FromWorker): void {
    this.#asked = null;
    if (message.kind === "answer") this.#listener({ answer: message.answer, asked });
    else this.#listener({ problem: problemOf(message) });
    const next = this.#next;
    this.#next = null;
    if (next) this.#send(next);
  }

  #errand(message: ToWorker): Promise<FromWorker> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#channel.postMessage(message);
    });
  }
}

function problemOf(message: FromWorker): string {
  return message.kind === "problem" ? message.problem : `the rules answered \`${message.kind}\`, which was not asked`;
}

/** What has to be done to the one list to have the other. Steps are never changed, so the same one is the same. */
export function splice(before: readonly Step[], after: readonly Step[]): Splice | null {
  if (before === after) return null;
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1;
  const remove = before.length - head - tail;
  const insert = after.slice(head, after.length - tail);
  return remove === 0 && insert.length === 0 ? null : { at: head, remove, insert };
}

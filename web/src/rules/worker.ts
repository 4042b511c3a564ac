/**
 * The worker that asks the rules, so that no answer keeps a person from typing. Holds one tree, and answers one message after the
 * other.
 */

import init, { PolicyTree } from "fulmar-browser";
import type { Dropped } from "../formats/file";
import { readFile } from "../formats/file";
import { readLink } from "../formats/link";
import type { Read } from "../formats/problem";
import type { Plan } from "../plan/plan";
import { look, sentence } from "./look";
import type { FromWorker, Question, Said, ToWorker } from "./messages";
import { PlannedTree } from "./tree";

let planned: PlannedTree | null = null;
const ready = init().then(() => {
  planned = new PlannedTree();
});

/** Messages are answered in their order, also where one of them takes its time. */
let last: Promise<unknown> = ready;

self.addEventListener("message", (event: MessageEvent<ToWorker>) => {
  last = last
    .then(() => ready)
    .then(() => answer(event.data))
    .catch((error: unknown): FromWorker => ({ kind: "problem", problem: sentence(error) }))
    .then((message) => self.postMessage(message));
});

async function answer(message: ToWorker): Promise<FromWorker> {
  switch (message.kind) {
    case "question":
      return { kind: "answer", answer: answerQuestion(message.question) };
    case "requests":
      return { kind: "said", said: said(message.requests) };
    case "file":
      return { kind: "read", read: readFile(message.bytes, message.title, () => new PolicyTree()) };
    case "link":
      return { kind: "read", read: dropped(await readLink(message.fragment, () => new PolicyTree())) };
  }
}

function dropped(read: Read<Plan>): Read<Dropped> {
  return "problem" in read ? read : { ok: { kind: "plan", plan: read.ok } };
}

function answerQuestion(question: Question) {
  const begin = performance.now();
  planned ??= new PlannedTree();
  planned.apply(question);
  return { ...look(planned, question.look), took_ms: performance.now() - begin };
}

function said(requests: Extract<ToWorker, { kind: "requests" }>["requests"]): Said[] {
  const rules = new PolicyTree();
  try {
    return requests.map((request) => {
      try {
        return { response: rules.ask(request) };
      } catch (error) {
        const code = error instanceof Error && "code" in error ? String(error.code) : "trap";
        return { code, problem: sentence(error) };
      }
    });
  } finally {
    rules.free();
  }
}

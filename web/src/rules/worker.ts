/**
 * The worker that asks the rules, so that no answer keeps a person from typing. Holds one tree, and answers one message after the
 * other.
 */

import init, { PolicyTree } from "fulmar-browser";
import { facts, look, sentence } from "./look";
import type { FromWorker, Question, Said, ToWorker } from "./messages";
import { PlannedTree } from "./tree";

let planned: PlannedTree | null = null;
const ready = init().then(() => {
  planned = new PlannedTree();
});

self.addEventListener("message", (event: MessageEvent<ToWorker>) => {
  void ready
    .then(() => answer(event.data))
    .catch((error: unknown): FromWorker => ({ kind: "problem", problem: sentence(error) }))
    .then((message) => self.postMessage(message));
});

function answer(message: ToWorker): FromWorker {
  switch (message.kind) {
    case "question":
      return { kind: "answer", answer: answerQuestion(message.question) };
    case "requests":
      return { kind: "said", said: said(message.requests) };
    case "read":
      return { kind: "facts", facts: read(message.snapshot) };
  }
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

function read(snapshot: Uint8Array) {
  const rules = new PolicyTree();
  try {
    rules.restore(snapshot);
    return facts(rules);
  } finally {
    rules.free();
  }
}

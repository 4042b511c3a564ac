/**
 * Where plans come from. Each source is read when a person asks for it, and says what it holds, or what is wrong with it.
 *
 * The example, a file and a link are sources; the state of a running daemon will be one more.
 */

import { SNAPSHOT_BYTES_MAX } from "../formats/base";
import type { Dropped } from "../formats/file";
import { refused } from "../formats/problem";
import type { Read } from "../formats/problem";
import { EXAMPLE } from "../plan/example";
import type { Rules } from "../rules/rules";

export interface Source {
  /** What a person calls it. */
  readonly title: string;
  read(rules: Rules): Promise<Read<Dropped>>;
}

export const example: Source = {
  title: "the example",
  read: () => Promise.resolve({ ok: { kind: "plan", plan: EXAMPLE } }),
};

export function file(file: File): Source {
  return {
    title: file.name,
    async read(rules) {
      // Before it is in memory.
      if (file.size > SNAPSHOT_BYTES_MAX)
        return refused(`\`${file.name}\` is too large: at most ${SNAPSHOT_BYTES_MAX} bytes`);
      try {
        return await rules.readFile(new Uint8Array(await file.arrayBuffer()), file.name);
      } catch (error) {
        return refused(`\`${file.name}\` cannot be read: ${error instanceof Error ? error.message : String(error)}`);
      }
    },
  };
}

export function link(fragment: string): Source {
  return { title: "the link", read: (rules) => rules.readLink(fragment) };
}

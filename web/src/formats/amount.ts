/**
 * Counts and sizes as a person types them: `512`, `512 MiB`, `1.5 GiB`.
 *
 * Owns the units. What an amount may be, the rules say; here only that it is a whole number of MiB that JavaScript can count.
 */

/** The largest amount: `Amount::MAX` of the rules. */
export const AMOUNT_MAX = Number.MAX_SAFE_INTEGER;

/** What was typed, or why it is nothing. */
export type Typed<T> = { readonly ok: T } | { readonly problem: string };

const MIB_OF = new Map([
  ["", 1],
  ["m", 1],
  ["mb", 1],
  ["mib", 1],
  ["g", 1024],
  ["gb", 1024],
  ["gib", 1024],
  ["t", 1024 * 1024],
  ["tb", 1024 * 1024],
  ["tib", 1024 * 1024],
]);

/** A whole number, as of unikernels. */
export function readCount(text: string): Typed<number> {
  const digits = text.trim();
  if (!/^\+?\d+$/.test(digits)) return { problem: `\`${digits}\` is no whole number, 0 or more` };
  return amount(BigInt(digits.replace("+", "")));
}

/** A size in MiB, with or without a unit. G and GB are taken for GiB: memory is not sold otherwise. */
export function readAmount(text: string): Typed<number> {
  const typed = text.trim();
  const parts = /^\+?(\d+)(?:\.(\d+))?\s*([A-Za-z]*)$/.exec(typed);
  const [, whole = "", fraction = "", unit = ""] = parts ?? [];
  const mib = MIB_OF.get(unit.toLowerCase());
  if (!parts || mib === undefined)
    return { problem: `\`${typed}\` is no size: write it like \`512\`, \`512 MiB\` or \`1.5 GiB\`` };
  const scale = 10n ** BigInt(fraction.length);
  const scaled = BigInt(whole + fraction) * BigInt(mib);
  if (scaled % scale !== 0n) return { problem: `\`${typed}\` is no whole number of MiB` };
  return amount(scaled / scale);
}

/** In the words of the rules, which cannot be asked about a number that JavaScript cannot hold. */
function amount(number: bigint): Typed<number> {
  const wrong = tooLarge(number);
  return wrong === null ? { ok: Number(number) } : { problem: wrong };
}

/** Why it is no amount; null where it is one. */
export function tooLarge(number: bigint): string | null {
  return number > BigInt(AMOUNT_MAX) ? `the amount ${number} is too large: at most ${AMOUNT_MAX}` : null;
}

/** The shortest way to write a size that reads back as it is: `512 MiB`, `1.5 GiB`. */
export function writeAmount(mib: number): string {
  for (const [unit, size] of [
    ["TiB", 1024 * 1024],
    ["GiB", 1024],
  ] as const) {
    const quarters = (mib / size) * 4;
    if (mib >= size && Number.isInteger(quarters)) return `${mib / size} ${unit}`;
  }
  return `${mib} MiB`;
}

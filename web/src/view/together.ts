/**
 * Which delegations can be spent in full at the same time: sets of them whose sum is within the limit.
 *
 * Adds up what the rules handed out, to say in words what the bar shows. No verdict is made of it.
 */

export interface Share {
  readonly label: string;
  readonly amount: number;
}

/** With more shares than that the sets are too many to read, and to find. */
const SHARES_MAX = 10;

/**
 * The largest sets that fit within the limit, each in the order of the shares; those with most members first. None where there are
 * too many shares. Shares of nothing are left out, and so are those that do not even fit alone.
 */
export function together(shares: readonly Share[], limit: number): readonly (readonly string[])[] | null {
  const spent = shares.filter(({ amount }) => amount > 0 && amount <= limit);
  if (spent.length > SHARES_MAX) return null;
  const fitting: number[] = [];
  for (let set = 1; set < 1 << spent.length; set += 1) {
    if (sum(spent, set) <= limit) fitting.push(set);
  }
  const largest = fitting.filter((set) => !fitting.some((other) => other !== set && (other & set) === set));
  return largest.map((set) => members(spent, set)).sort((left, right) => right.length - left.length);
}

function sum(shares: readonly Share[], set: number): number {
  return shares.reduce((sum, { amount }, index) => (set & (1 << index) ? sum + amount : sum), 0);
}

function members(shares: readonly Share[], set: number): string[] {
  return shares.filter((_, index) => set & (1 << index)).map(({ label }) => label);
}

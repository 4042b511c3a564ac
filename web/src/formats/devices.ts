/**
 * Devices of a unikernel as plans and the command line write them: `DEV[:HOST[:SECTOR]]`, `DEV[:BRIDGE][@MAC]`.
 *
 * Owns the punctuation (`host/src/cli/value.rs`). What stands between it, the rules read; who has no rules at hand gives `SILENT`
 * and asks about the whole.
 */

import type { BlockDevice, NetDevice } from "fulmar-browser";
import { canonicalName } from "../plan/names";
import type { Typed } from "./amount";
import type { Words } from "./core";
import { notWhole, readDigits } from "./sets";

/** Two devices that are called the same on both sides need to be named once. */
export function readBlockDevice(text: string, words: Words): Typed<BlockDevice> {
  const { device, host, sector } = blockParts(text);
  const sector_size = sector === null ? null : readDigits(sector);
  const wrong =
    words.blockDevice({ device, host: "x" }) ??
    (host === null ? null : words.blockDevice({ host })) ??
    (sector === null ? null : wrongSector(sector, sector_size, words)) ??
    (host === null ? words.blockDevice({ device }) : null);
  if (wrong !== null) return { problem: wrong };
  return {
    ok: { device, host: canonicalName(host ?? device), sector_size: sector_size === null ? null : Number(sector_size) },
  };
}

/** The third colon belongs to the sector size, which then is no number. */
function blockParts(text: string): { device: string; host: string | null; sector: string | null } {
  const [device = "", host = null] = text.split(":", 2);
  const rest = host === null ? "" : text.slice(device.length + 1 + host.length);
  return { device, host, sector: rest.startsWith(":") ? rest.slice(1) : null };
}

function wrongSector(sector: string, size: bigint | null, words: Words): string | null {
  if (size === null) return notWhole(sector);
  // The rules' own sentence, about a number that JavaScript cannot hold.
  if (size > Number.MAX_SAFE_INTEGER)
    return `a sector size of ${size} bytes is not possible: use a power of two from 512 to 32768`;
  return words.blockDevice({ host: "x", sector_size: Number(size) });
}

/** The bridge is called as the device where none is named. */
export function readNetDevice(text: string, words: Words): Typed<NetDevice> {
  const [names, mac] = split(text, "@");
  const [device, bridge] = split(names, ":");
  const wrong =
    (mac === null ? null : words.netDevice({ bridge: "x", mac })) ??
    (bridge === null ? null : words.netDevice({ bridge })) ??
    words.netDevice({ device, bridge: "x" }) ??
    (bridge === null ? words.netDevice({ device }) : null);
  if (wrong !== null) return { problem: wrong };
  return { ok: { device, bridge: bridge ?? device, mac: mac?.toLowerCase() ?? null } };
}

function split(text: string, mark: string): [string, string | null] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
}

/** The shortest way to write it. */
export function writeBlockDevice({ device, host, sector_size }: BlockDevice): string {
  const name = host ?? canonicalName(device);
  if (sector_size !== null) return `${device}:${name}:${sector_size}`;
  return name === device ? device : `${device}:${name}`;
}

/** The shortest way to write it. */
export function writeNetDevice({ device, bridge, mac }: NetDevice): string {
  const names = bridge === null || bridge === device ? device : `${device}:${bridge}`;
  return mac === null ? names : `${names}@${mac}`;
}

// A real Chromium on the built page, for the scripts beside this one.
//
// Owns what holds in all of them: the page comes from a folder of plain files, handed out without a header of its own; nothing is
// asked of anywhere else, the content security policy is never broken, and nothing is written to the console as an error.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");
const DIST = join(ROOT, "web/dist");

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".wasm": "application/wasm",
  ".svg": "image/svg+xml",
  ".webmanifest": "application/manifest+json",
};

/** Hands out `web/dist` below a folder of its own, as a static host does that has other pages as well. */
async function serve() {
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://x").pathname);
    const name = path === "/page/" ? "/page/index.html" : path;
    try {
      if (!name.startsWith("/page/")) throw new Error("outside");
      const file = join(DIST, normalize(name.slice("/page".length)));
      const body = await readFile(file);
      response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address();
  return { url: `http://127.0.0.1:${port}/page/`, close: () => new Promise((closed) => server.close(closed)) };
}

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A browser with a folder of its own; to be ended, whatever happened. */
export async function start() {
  const server = await serve();
  const folder = await mkdtemp(join(tmpdir(), "fulmar-page-"));
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: FLAGS,
    env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_CACHE_HOME: folder },
  });
  return new Browser(browser, server, folder);
}

/** How long the page may take for anything: machines are busy. */
const PATIENCE_MS = 10_000;

class Browser {
  constructor(browser, server, folder) {
    this.browser = browser;
    this.server = server;
    this.url = server.url;
    this.folder = folder;
  }

  async end() {
    await this.browser.close();
    await this.server.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** A page in a context of its own, and what went wrong on it. The link is the address's fragment. */
  async open({ link = "", ...options } = {}) {
    const context = await this.browser.newContext({ viewport: { width: 1400, height: 900 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const wrong = [];
    page.on("console", (message) => {
      if (message.type() === "error" || /content security policy/i.test(message.text())) wrong.push(message.text());
    });
    page.on("pageerror", (error) => wrong.push(String(error)));
    context.on("request", (request) => {
      const address = request.url();
      if (!address.startsWith(this.url) && !/^(blob|data):/.test(address)) wrong.push(`asked for ${address}`);
    });
    await page.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) => console.error(`violates ${event.violatedDirective}`));
    });
    await page.goto(this.url + link);
    await page.getByRole("tree", { name: "Domains" }).waitFor();
    return new Visit(page, context, wrong);
  }
}

class Visit {
  constructor(page, context, wrong) {
    this.page = page;
    this.context = context;
    this.wrong = wrong;
  }

  /** Ends the visit, on which nothing went wrong that is not `expected`. */
  async close() {
    await this.context.close();
    assert.deepEqual(this.wrong, []);
  }

  role(role, name, options = {}) {
    return this.page.getByRole(role, { name, exact: true, ...options });
  }

  /** A domain's row in the tree. */
  row(path) {
    return this.page.locator(`[role="treeitem"][id="row-${path}"]`);
  }

  async select(path) {
    await this.row(path).click();
    await this.role("region", `Domain ${path}`).waitFor();
  }

  /** Waits until a text can be read there. Names in back-ticks are shown as code or as links, without the ticks. */
  async reads(locator, text) {
    const hasText = typeof text === "string" ? text.replaceAll("`", "") : text;
    await locator.filter({ hasText }).first().waitFor();
  }

  /** Waits until the rules have answered for what stands there now, the wish included. */
  async settled() {
    await this.page.locator('main[aria-busy="false"]').waitFor();
    await this.page.locator('[role="status"][aria-busy="true"]').waitFor({ state: "detached" });
  }

  /** Waits until something is told that is wrong. */
  async alerts(sentence) {
    await this.reads(this.page.getByRole("alert"), sentence);
  }

  /** Begins with an empty page. */
  async empty() {
    await this.role("button", "New").click();
    await this.role("heading", "Nothing here yet").waitFor();
  }

  /** What the whole plan came to, once the rules have said so: "2 admitted 1 refused". */
  async verdicts(text) {
    await this.reads(this.role("status", "Verdicts"), text);
  }

  /** Drops bytes on the page as a file. */
  async drop(name, bytes) {
    await this.page.evaluate(
      ({ name, bytes }) => {
        const data = new DataTransfer();
        data.items.add(new File([Uint8Array.from(bytes)], name));
        dispatchEvent(new DragEvent("dragover", { dataTransfer: data, cancelable: true, bubbles: true }));
        dispatchEvent(new DragEvent("drop", { dataTransfer: data, cancelable: true, bubbles: true }));
      },
      { name, bytes: [...bytes] },
    );
  }

  /** The plan as the page hands it out: `plan.toml`, `JSON`, `Commands` or `Link`. */
  async share(form) {
    await this.role("button", "Share…").click();
    await this.role("button", form).click();
    const text = await this.page.getByLabel(`The plan as ${form}`).innerText();
    await this.role("button", "Close").click();
    return text;
  }

  /** The steps as they stand in the list. */
  async steps() {
    const items = await this.role("list", "Steps").getByRole("listitem").all();
    const labels = await Promise.all(items.map((item) => item.getAttribute("aria-label")));
    return labels.filter((label) => label?.startsWith("Step "));
  }
}

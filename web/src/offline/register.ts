/**
 * Starts the service worker of the built page, and says when it has fetched a newer build. Without one (an unsafe address, a browser
 * that has none) the page works the same while there is a network, so a failure is nobody's error.
 */

/** Loads the newer build in place of this one. */
export type TakeOver = () => void;

export function keepOffline(newer: (takeOver: TakeOver) => void): void {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  const begin = () => void register(newer).catch(() => undefined);
  // After everything that the page itself needs.
  if (document.readyState === "complete") begin();
  else window.addEventListener("load", begin, { once: true });
}

async function register(newer: (takeOver: TakeOver) => void): Promise<void> {
  const registration = await navigator.serviceWorker.register("./offline.js");
  const offer = (waiting: ServiceWorker | null) => {
    // The first one of all replaces nothing.
    if (waiting && navigator.serviceWorker.controller) newer(() => takeOver(waiting));
  };
  offer(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const { installing } = registration;
    installing?.addEventListener("statechange", () => {
      if (installing.state === "installed") offer(installing);
    });
  });
}

function takeOver(waiting: ServiceWorker): void {
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  waiting.postMessage("take over");
}

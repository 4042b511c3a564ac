/**
 * Starts the service worker of the built page. Without one (a file on disk, a browser that has none) the page works the same while
 * there is a network, so a failure is nobody's error.
 */

export function keepOffline(): void {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  const register = () => navigator.serviceWorker.register("./offline.js").catch(() => undefined);
  // After everything that the page itself needs.
  if (document.readyState === "complete") void register();
  else window.addEventListener("load", () => void register(), { once: true });
}

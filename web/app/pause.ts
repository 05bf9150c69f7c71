/** Keeping the page responsive: long work is done in pieces, with pauses between them. */

/** Lets the browser handle input and paint before the work goes on. */
export function pause(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** Resolves when the browser has nothing better to do, or after a while. */
export function idle(timeout = 3000): Promise<void> {
  return new Promise((resolve) => {
    if ("requestIdleCallback" in globalThis) requestIdleCallback(() => resolve(), { timeout });
    else setTimeout(resolve, Math.min(timeout, 500));
  });
}

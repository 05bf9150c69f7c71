/**
 * The page's first script. The engine takes longest to load, so its worker
 * starts here, before the page itself is read; cluster.ts takes it over.
 */
import type { ToEngineWorker } from "./engine-worker.js";

const { worker = "", engine = "", runtime = "" } = (document.currentScript as HTMLScriptElement).dataset;
const absolute = (url: string) => new URL(url, location.href).href;
const started = new Worker(worker, { type: "module", name: "engine" });
started.postMessage({ type: "load", engine: absolute(engine), runtime: absolute(runtime) } satisfies ToEngineWorker);
Object.assign(globalThis, { tidepoolEngine: started });

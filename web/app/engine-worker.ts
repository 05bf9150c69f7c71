/**
 * The worker in which the engine runs: a simulated cluster. It takes the messages
 *   {type: "load", engine, runtime}
 *   {type: "start", openAPI, seed, nodes, speed, start}
 *   {type: "connect", protocol: "http" | "stream", port}
 *   {type: "speed", speed}
 * in any order, and says {type: "ready"} or {type: "failed", message}.
 */
import { refuse } from "./engine-fetch.js";

interface Engine {
  connectHTTP(port: MessagePort): void;
  connectStream(port: MessagePort): void;
  setSpeed(speed: number): void;
}

/** Where the engine's files are; loading them begins before anything else is known. */
export interface Load {
  type: "load";
  engine: string;
  runtime: string;
}

export interface Start {
  type: "start";
  openAPI: string;
  seed: number;
  nodes: number;
  /** How much faster than the wall clock the cluster's time passes. */
  speed: number;
  /** The cluster's first moment, in milliseconds since 1970. */
  start: number;
}

export type ToEngineWorker =
  | Load
  | Start
  | { type: "connect"; protocol: "http" | "stream"; port: MessagePort }
  | { type: "speed"; speed: number };

export type FromEngineWorker = { type: "ready" } | { type: "failed"; message: string };

interface Scope {
  Go: new () => { importObject: WebAssembly.Imports; run(instance: WebAssembly.Instance): Promise<void> };
  tidepool?: Engine;
  tidepoolConfig?: Start;
  onTidepoolReady(): void;
  onTidepoolFailed(message: string): void;
  onmessage: ((event: MessageEvent<ToEngineWorker>) => void) | null;
  postMessage(message: FromEngineWorker): void;
}

const scope = globalThis as unknown as Scope;
const waiting: ToEngineWorker[] = [];

scope.onTidepoolFailed = (message) => scope.postMessage({ type: "failed", message });
scope.onTidepoolReady = () => {
  for (const message of waiting.splice(0)) handle(message);
  scope.postMessage({ type: "ready" });
};

let loaded: Promise<WebAssembly.Module> | undefined;
/** Why there is no engine. */
let failure: string | undefined;

scope.onmessage = (event) => {
  const message = event.data;
  if (message.type === "load") {
    loaded = load(message);
    loaded.catch(fail);
  } else if (message.type === "start") start(message).catch(fail);
  else if (scope.tidepool || failure !== undefined) handle(message);
  else waiting.push(message);
};

function fail(error: unknown): void {
  if (failure !== undefined) return; // one leads to another
  failure = error instanceof Error ? error.message : String(error);
  delete scope.tidepool;
  for (const message of waiting.splice(0)) handle(message);
  scope.onTidepoolFailed(failure);
}

function handle(message: ToEngineWorker): void {
  const engine = scope.tidepool;
  if (!engine) {
    if (message.type === "connect" && message.protocol === "http") refuse(message.port, "the cluster in this tab has failed");
    return;
  }
  if (message.type === "speed") engine.setSpeed(message.speed);
  else if (message.type === "connect" && message.protocol === "http") engine.connectHTTP(message.port);
  else if (message.type === "connect") engine.connectStream(message.port);
}

async function load({ engine, runtime }: Load): Promise<WebAssembly.Module> {
  const [module] = await Promise.all([
    WebAssembly.compileStreaming(fetch(engine)),
    import(/* the runtime that belongs to the module */ runtime),
  ]);
  return module;
}

async function start(config: Start): Promise<void> {
  if (!loaded) throw new Error("start came before load");
  const module = await loaded;
  const go = new scope.Go();
  scope.tidepoolConfig = config;
  await go.run(await WebAssembly.instantiate(module, go.importObject));
  fail("the engine has ended");
}

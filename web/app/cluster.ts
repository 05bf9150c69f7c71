/**
 * The connection to a cluster. Nothing else in the page knows whether it runs in
 * this tab, in a worker, or on the server that the page came from.
 */
import { base64url, overWebSockets, type Dial } from "./channel.js";
import { asset, type Config } from "./config.js";
import { engineFetch, serveFetch, type Fetch } from "./engine-fetch.js";
import type { FromEngineWorker, ToEngineWorker } from "./engine-worker.js";
import type { Frame } from "./records.js";

export type State = "starting" | "ready" | "failed";

export interface Handlers {
  frame(frame: Frame): void;
  state(state: State, text: string): void;
  /** The stream was lost and is there again: what was asked of it must be asked anew. */
  resumed(): void;
}

export interface Cluster {
  /** What the learner calls it. */
  readonly name: string;
  fetch: Fetch;
  /** A port that carries requests to the API: for kubectl. */
  connect(): MessagePort;
  /** Sends a command over the stream. */
  send(command: object): void;
  close(): void;
}

/** The worker that boot.ts has started, once; after that, new ones. */
function engineWorker(config: Config): Worker {
  const page = globalThis as { tidepoolEngine?: Worker };
  const booted = page.tidepoolEngine;
  if (booted) {
    delete page.tidepoolEngine;
    return booted;
  }
  const worker = new Worker(asset(config, "engine-worker.js"), { type: "module", name: "engine" });
  worker.postMessage({ type: "load", engine: asset(config, "engine.wasm"), runtime: asset(config, "wasm_exec.js") } satisfies ToEngineWorker);
  return worker;
}

/** A simulated cluster in a worker of this tab. */
export class TabCluster implements Cluster {
  readonly name = "this tab";
  readonly fetch: Fetch;
  #worker: Worker;
  #stream: MessagePort;

  constructor(config: Config, handlers: Handlers, options: { seed: number; nodes: number; speed: number }) {
    this.#worker = engineWorker(config);
    handlers.state("starting", "Starting the cluster…");
    this.#worker.onmessage = (event: MessageEvent<FromEngineWorker>) => {
      const message = event.data;
      if (message.type === "ready") handlers.state("ready", "Simulated, in this tab");
      else handlers.state("failed", `The cluster failed: ${message.message}. Reload the page to start anew.`);
    };
    this.#worker.onerror = (event) => handlers.state("failed", `The cluster failed: ${event.message}. Reload the page to start anew.`);
    this.#post({ type: "start", openAPI: asset(config, "openapi"), start: Date.now(), ...options });
    this.fetch = engineFetch(this.connect());
    this.#stream = this.#open("stream");
    this.#stream.onmessage = (event: MessageEvent<string>) => handlers.frame(JSON.parse(event.data) as Frame);
  }

  connect(): MessagePort {
    return this.#open("http");
  }

  send(command: object): void {
    this.#stream.postMessage(JSON.stringify(command));
  }

  /** How much faster than the wall clock time passes; Infinity is as fast as can be. */
  setSpeed(speed: number): void {
    this.#post({ type: "speed", speed });
  }

  close(): void {
    this.#stream.close(); // frames that are still on their way are of no interest
    this.#worker.terminate();
  }

  #open(protocol: "http" | "stream"): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.#post({ type: "connect", protocol, port: port2 }, [port2]);
    return port1;
  }

  #post(message: ToEngineWorker, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }
}

const apiPrefix = "/cluster";
const reconnectAfter = 2000; // milliseconds

/** The cluster of the server that the page came from. */
export class ServerCluster implements Cluster {
  readonly name = "this server";
  readonly fetch: Fetch;
  #socket: WebSocket | undefined;
  #queue: string[] = [];
  #closed = false;
  #lost = false;
  #dialAPI: Dial;

  constructor(token: string, private readonly handlers: Handlers) {
    this.fetch = (input, init) => {
      const request = new Request(input instanceof Request ? input : new URL(String(input), location.origin), init);
      const url = new URL(request.url);
      const headers = new Headers(request.headers);
      headers.set("Authorization", `Bearer ${token}`);
      const agent = new Headers(init?.headers).get("User-Agent"); // a Request has lost it
      if (agent) headers.set("Tidepool-User-Agent", agent);
      const target = apiPrefix + url.pathname + url.search;
      return fetch(input instanceof Request ? new Request(target, input) : target, { ...init, headers });
    };
    this.#dialAPI = overWebSockets((url) => new URL(apiPrefix + url, location.origin), token, this.fetch);
    this.#dial(token);
  }

  connect(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    serveFetch(port2, this.fetch, this.#dialAPI);
    return port1;
  }

  send(command: object): void {
    const text = JSON.stringify(command);
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(text);
    else this.#queue.push(text);
  }

  close(): void {
    this.#closed = true;
    this.#socket?.close();
  }

  #dial(token: string): void {
    this.handlers.state("starting", "Connecting to the server…");
    const url = new URL("/stream", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url, ["tidepool.stream.v1", `base64url.bearer.authorization.k8s.io.${base64url(token)}`]);
    this.#socket = socket;
    socket.onopen = () => {
      this.handlers.state("ready", "Simulated, on this server");
      for (const text of this.#queue.splice(0)) socket.send(text);
      if (this.#lost) this.handlers.resumed();
      this.#lost = false;
    };
    socket.onmessage = (event: MessageEvent<string>) => {
      if (!this.#closed) this.handlers.frame(JSON.parse(event.data) as Frame);
    };
    socket.onclose = (event) => {
      if (this.#closed) return;
      this.#lost = true;
      this.handlers.state("failed", `The server is out of reach${event.reason ? `: ${event.reason}` : ""}. Trying again…`);
      setTimeout(() => !this.#closed && this.#dial(token), reconnectAfter);
    };
  }
}

const tokenKey = "tidepool.token";

/** Takes the server's token out of the address, where it came from, and keeps it for the session. */
export function readToken(): string | null {
  const match = /(?:^#|&)token=([^&]+)/.exec(location.hash);
  if (match?.[1]) {
    sessionStorage.setItem(tokenKey, decodeURIComponent(match[1]));
    history.replaceState(null, "", location.pathname + location.search);
  }
  return sessionStorage.getItem(tokenKey);
}

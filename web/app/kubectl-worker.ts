/**
 * The worker in which kubectl runs: one instance of the WebAssembly module that
 * runs one command after another, with files, standard streams and network of the
 * page's making.
 */
import type { Dial } from "./channel.js";
import { ConnectionError, engineFetch, type Fetch, type PortFetch } from "./engine-fetch.js";
import { goFileSystem } from "./kubectl-fs.js";
import type { FromWorker, TerminalState, ToWorker } from "./kubectl-protocol.js";
import { FileSystem, type Change } from "./vfs.js";

/** What wasm_exec.js defines. */
interface GoRuntime {
  argv: string[];
  env: Record<string, string>;
  exit: (code: number) => void;
  importObject: WebAssembly.Imports;
  run(instance: WebAssembly.Instance): Promise<void>;
}

/** What the Go program defines: see wasm/kubectl/main.go. */
interface GoKubectl {
  run(
    args: string[],
    io: { stdout(data: Uint8Array): void; stderr(data: Uint8Array): void; edit(path: string): Promise<void> },
  ): Promise<{ code: number; ended: boolean }>;
  interrupt(): void;
}

interface WorkerScope {
  Go: new () => GoRuntime;
  kubectl?: GoKubectl;
  fs: object;
  process: object;
  fetch: Fetch;
  /** For wasm/kubectl/session. */
  dial: Dial;
  /** For the overlays of moby/term and kubectl's util/term; absent without a terminal. */
  terminal?: TerminalState & { raw(on: boolean): void; onresize?: (() => void) | null };
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
}

const scope = globalThis as unknown as WorkerScope;
const fetchFromServer = scope.fetch.bind(globalThis) as Fetch;

let connection: PortFetch | undefined;

// Go cancels bodies that have failed, too, and does not look at what comes of it.
addEventListener("unhandledrejection", (event) => {
  if ((event as PromiseRejectionEvent).reason instanceof ConnectionError) event.preventDefault();
});

const send = (message: FromWorker, transfer: Transferable[] = []): void => scope.postMessage(message, transfer);

let files = new FileSystem();
const changed = new Map<string, Change>();
let provideInput: ((data: Uint8Array | null) => void) | undefined;
let finishEdit: ((error?: string) => void) | undefined;
let exit: (code: number, reusable: boolean) => void = () => undefined;

scope.onmessage = (event) => {
  const message = event.data;
  switch (message.type) {
    case "load":
      load(message).catch((error: unknown) => send({ type: "failed", message: describe(error) }));
      break;
    case "connect":
      connection?.close(); // what still waits for the cluster before would wait for ever
      scope.fetch = connection = engineFetch(message.port);
      scope.dial = connection.dial;
      break;
    case "files":
      files.apply(message.changes, "page");
      break;
    case "run":
      run(message.args, message.cwd, message.terminal);
      break;
    case "resize":
      if (!scope.terminal) break;
      Object.assign(scope.terminal, { columns: message.columns, rows: message.rows });
      scope.terminal.onresize?.();
      break;
    case "interrupt":
      provideInput?.(null);
      finishEdit?.("interrupted");
      scope.kubectl?.interrupt();
      break;
    case "input":
      provideInput?.(message.data);
      break;
    case "edited":
      finishEdit?.(message.error);
      break;
  }
};

async function load(options: Extract<ToWorker, { type: "load" }>): Promise<void> {
  files = new FileSystem({ home: options.home });
  files.apply(options.files, "page");
  files.subscribe((change, origin) => {
    if (origin !== "page") changed.set(change.path, change);
  });
  scope.fs = goFileSystem(files, {
    read: () =>
      new Promise((resolve) => {
        provideInput = (data) => {
          provideInput = undefined;
          resolve(data);
        };
        send({ type: "read" });
      }),
    write: (stream, data) => send({ type: "output", stream: stream === 1 ? "stdout" : "stderr", data }),
  });
  scope.process = goProcess();

  const [module] = await Promise.all([
    options.module ?? compile(options.wasm, options.size),
    import(/* a URL known at run time */ options.runtime),
  ]);
  const go = new scope.Go();
  go.argv = ["kubectl"];
  go.env = {
    HOME: files.home,
    KUBECONFIG: `${files.home}/.kube/config`,
    TMPDIR: "/tmp",
    TERM: "xterm-256color",
    // Commands are short and leave little behind: collect garbage less often.
    GOGC: "400",
    GOMEMLIMIT: "768MiB",
  };
  // Some commands end the program themselves; so does a crash.
  go.exit = (code) => exit(code, false);
  void go.run(await WebAssembly.instantiate(module, go.importObject));
  if (!scope.kubectl) throw new Error("kubectl did not start");
  send({ type: "ready", module });
}

/** Downloads and compiles at once, and reports how far it is. */
async function compile(url: string, size: number): Promise<WebAssembly.Module> {
  const response = await fetchFromServer(url);
  if (!response.ok || !response.body) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  const encoded = response.headers.has("Content-Encoding");
  const total = size || (encoded ? 0 : Number(response.headers.get("Content-Length") ?? 0));
  let loaded = 0;
  let reported = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      loaded += chunk.length;
      if (loaded - reported > 500_000) {
        reported = loaded;
        send({ type: "progress", loaded, total });
      }
      controller.enqueue(chunk);
    },
  });
  const body = response.body.pipeThrough(counter as TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>);
  const counted = new Response(body, { headers: { "Content-Type": "application/wasm" } });
  const module = await WebAssembly.compileStreaming(counted);
  send({ type: "progress", loaded, total: loaded });
  return module;
}

function run(args: string[], cwd: string, terminal: TerminalState | null): void {
  if (terminal) scope.terminal = { ...terminal, raw: (on) => send({ type: "raw", on }) };
  else delete scope.terminal;
  files.cwd = files.isDirectory(cwd) ? cwd : files.home;
  let over = false;
  exit = (code, reusable) => {
    if (over) return;
    over = true;
    provideInput?.(null); // to whom still waits for it
    provideInput = undefined;
    sendChanges();
    send({ type: "exit", code, reusable });
  };
  const write = (stream: "stdout" | "stderr") => (data: Uint8Array) =>
    send({ type: "output", stream, data }, [data.buffer as ArrayBuffer]);
  const io = { stdout: write("stdout"), stderr: write("stderr"), edit };
  const kubectl = scope.kubectl;
  if (!kubectl) return exit(1, false);
  kubectl.run(args, io).then(
    (result) => exit(result.code, result.ended),
    () => exit(1, false),
  );
}

/** Lets the person at the page change a file. */
function edit(path: string): Promise<void> {
  const absolute = files.resolve(path);
  send({ type: "files", changes: files.snapshot().filter((change) => change.path === absolute) });
  return new Promise((resolve, reject) => {
    finishEdit = (error) => {
      finishEdit = undefined;
      if (error === undefined) resolve();
      else reject(new Error(error));
    };
    send({ type: "edit", path: absolute });
  });
}

function sendChanges(): void {
  if (changed.size === 0) return;
  send({ type: "files", changes: [...changed.values()] });
  changed.clear();
}

/** globalThis.process for wasm_exec.js. */
function goProcess(): object {
  return {
    pid: 1,
    ppid: 0,
    getuid: () => 0,
    getgid: () => 0,
    geteuid: () => 0,
    getegid: () => 0,
    getgroups: () => [],
    umask: () => 0,
    cwd: () => files.cwd,
    chdir: (path: string) => void (files.cwd = files.resolve(path)),
  };
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

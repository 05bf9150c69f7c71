/**
 * kubectl for the page: loads it into a worker of its own, runs command lines one
 * after another, and replaces the worker when a command has used it up.
 */
import type { FromWorker, TerminalState, ToWorker } from "./kubectl-protocol.js";
import { directoryOf, type Change, type FileSystem } from "./vfs.js";

export interface KubectlOptions {
  /** Starts the script kubectl-worker.ts as a module worker. */
  startWorker(): Worker;
  /** URL of kubectl.wasm. */
  wasm: string;
  /** URL of the wasm_exec.js that belongs to it. */
  runtime: string;
  /** Bytes of kubectl.wasm, to show progress when the server compresses it. */
  size?: number;
  /** Opens a connection to the API server: see engine-fetch.ts. */
  connect(): MessagePort;
  files: FileSystem;
  onProgress?(loaded: number, total: number): void;
}

/** Where a command reads: null is the end. */
export interface Input {
  read(): Promise<Uint8Array | null>;
}

/** The terminal at which a command runs. */
export interface Terminal {
  readonly columns: number;
  readonly rows: number;
  /** Whether keys reach the command as they are typed, without being shown. */
  raw(on: boolean): void;
  /** Returns what ends the listening. */
  onResize(listener: () => void): () => void;
}

export interface RunOptions {
  /** No input when absent. */
  stdin?: Input;
  stdout(data: Uint8Array): void;
  stderr(data: Uint8Array): void;
  /** Lets a person change a file of the file system, for `kubectl edit`. */
  edit?(path: string): Promise<void>;
  /** Interrupts the command, as Ctrl-C does. */
  signal?: AbortSignal;
  /** The terminal, and which of the streams are its. */
  terminal?: { of: Terminal; stdin: boolean; stdout: boolean };
}

export interface Completion {
  value: string;
  description: string;
}

export interface Completions {
  values: Completion[];
  /** Do not add a space after the value. */
  noSpace: boolean;
  /** When there are no values, file names may complete the word. */
  files: boolean;
  /** The file names that may end so; any when there are none. */
  extensions: string[];
}

/** The exit code of an interrupted command. */
export const interrupted = 130;

/** How long an interrupted worker may take to say that it has ended the command. */
const patience = 1000;

export class Kubectl {
  #options: KubectlOptions;
  #module: WebAssembly.Module | undefined;
  #instance: Promise<Instance> | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: KubectlOptions) {
    this.#options = options;
    writeDefaultConfig(options.files);
  }

  /** Downloads and starts kubectl, unless that has been done or is being done. */
  async load(): Promise<void> {
    await this.#start();
  }

  /** Directs kubectl at what connect() returns now. */
  async reconnect(): Promise<void> {
    const instance = await this.#instance?.catch(() => undefined); // one that did not start has told so
    instance?.connect(this.#options.connect());
  }

  /** Runs a command line, without the word "kubectl", and returns its exit code. */
  run(args: string[], options: RunOptions): Promise<number> {
    const result = this.#queue.then(() => this.#run(args, options));
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** Completes the last of the words, which may be empty. */
  async complete(words: string[], signal?: AbortSignal): Promise<Completions> {
    let output = "";
    const decoder = new TextDecoder();
    await this.run(["__complete", ...words], {
      stdout: (data) => (output += decoder.decode(data, { stream: true })),
      stderr: () => undefined,
      ...(signal && { signal }),
    });
    return parseCompletions(output);
  }

  /** Ends the worker. A later call starts another. */
  close(): void {
    void this.#instance?.then((instance) => instance.close());
    this.#instance = undefined;
  }

  #start(): Promise<Instance> {
    if (this.#instance) return this.#instance;
    const starting = Instance.start(this.#options, this.#module).then((instance) => {
      this.#module = instance.module;
      return instance;
    });
    this.#instance = starting;
    starting.catch(() => {
      if (this.#instance === starting) this.#instance = undefined; // the next call tries again
    });
    return starting;
  }

  async #run(args: string[], options: RunOptions): Promise<number> {
    const instance = await Promise.race([this.#start(), aborted(options.signal)]);
    if (instance === null || options.signal?.aborted) return interrupted;
    const { code, reusable } = await instance.run(args, options);
    if (!reusable) {
      this.close();
      this.#start().catch(() => undefined); // in advance; the next run reports a failure
    }
    return code;
  }
}

interface Exit {
  code: number;
  reusable: boolean;
}

/** One worker with one running kubectl. */
class Instance {
  #worker: Worker;
  #files: FileSystem;
  #pending: Change[] = [];
  #unsubscribe: () => void;
  #onMessage: (message: FromWorker) => void = () => undefined;

  private constructor(
    worker: Worker,
    files: FileSystem,
    readonly module: WebAssembly.Module,
  ) {
    this.#worker = worker;
    this.#files = files;
    this.#unsubscribe = files.subscribe((change, origin) => {
      if (origin !== this) this.#pending.push(change);
    });
    worker.onmessage = (event: MessageEvent<FromWorker>) => this.#receive(event.data);
  }

  static start(options: KubectlOptions, module?: WebAssembly.Module): Promise<Instance> {
    return new Promise((resolve, reject) => {
      const worker = options.startWorker();
      const fail = (message: string): void => {
        worker.terminate();
        reject(new Error(`kubectl could not be loaded: ${message}`));
      };
      worker.onerror = (event) => fail(event.message);
      worker.onmessage = (event: MessageEvent<FromWorker>) => {
        const message = event.data;
        if (message.type === "progress") options.onProgress?.(message.loaded, message.total);
        else if (message.type === "failed") fail(message.message);
        else if (message.type === "ready") {
          worker.onerror = null;
          const instance = new Instance(worker, options.files, message.module);
          // Files may have changed while it started.
          instance.#pending = options.files.snapshot();
          resolve(instance);
        }
      };
      const load: ToWorker = {
        type: "load",
        wasm: options.wasm,
        runtime: options.runtime,
        size: options.size ?? 0,
        ...(module && { module }),
        home: options.files.home,
        files: [],
      };
      worker.postMessage(load);
      connect(worker, options.connect());
    });
  }

  connect(port: MessagePort): void {
    connect(this.#worker, port);
  }

  run(args: string[], options: RunOptions): Promise<Exit> {
    return new Promise((resolve) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const terminal = options.terminal?.of;
      const unsubscribe = terminal?.onResize(() => this.#send({ type: "resize", columns: terminal.columns, rows: terminal.rows }));
      const finish = (exit: Exit): void => {
        clearTimeout(timer);
        unsubscribe?.();
        terminal?.raw(false);
        options.signal?.removeEventListener("abort", interrupt);
        this.#onMessage = () => undefined;
        this.#worker.onerror = null;
        resolve(exit);
      };
      const interrupt = (): void => {
        this.#send({ type: "interrupt" });
        timer = setTimeout(() => finish({ code: interrupted, reusable: false }), patience);
      };
      this.#worker.onerror = (event) => {
        options.stderr(new TextEncoder().encode(`kubectl crashed: ${event.message}\n`));
        finish({ code: 2, reusable: false });
      };
      this.#onMessage = (message) => {
        switch (message.type) {
          case "output":
            (message.stream === "stdout" ? options.stdout : options.stderr)(message.data);
            break;
          case "read":
            void this.#read(options.stdin);
            break;
          case "edit":
            void this.#edit(message.path, options.edit);
            break;
          case "raw":
            terminal?.raw(message.on);
            break;
          case "exit":
            finish(message);
            break;
        }
      };
      options.signal?.addEventListener("abort", interrupt);
      this.#sendFiles();
      this.#send({ type: "run", args, cwd: this.#files.cwd, terminal: stateOf(options.terminal) });
    });
  }

  close(): void {
    this.#unsubscribe();
    this.#worker.terminate();
  }

  #receive(message: FromWorker): void {
    if (message.type === "files") this.#files.apply(message.changes, this);
    else this.#onMessage(message);
  }

  async #read(stdin: Input | undefined): Promise<void> {
    const data = stdin ? await stdin.read().catch(() => null) : null;
    this.#send({ type: "input", data });
  }

  async #edit(path: string, edit: RunOptions["edit"]): Promise<void> {
    try {
      if (!edit) throw new Error("there is no editor here");
      await edit(path);
      this.#sendFiles();
      this.#send({ type: "edited" });
    } catch (error) {
      this.#send({ type: "edited", error: error instanceof Error ? error.message : String(error) });
    }
  }

  #sendFiles(): void {
    if (this.#pending.length === 0) return;
    this.#send({ type: "files", changes: this.#pending });
    this.#pending = [];
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }
}

function stateOf(terminal: RunOptions["terminal"]): TerminalState | null {
  if (!terminal) return null;
  const { of, stdin, stdout } = terminal;
  return { stdin, stdout, columns: of.columns, rows: of.rows };
}

/** Resolves when the signal is aborted. */
function aborted(signal: AbortSignal | undefined): Promise<null> {
  return new Promise((resolve) => {
    if (signal?.aborted) resolve(null);
    else signal?.addEventListener("abort", () => resolve(null), { once: true });
  });
}

function connect(worker: Worker, port: MessagePort): void {
  const message: ToWorker = { type: "connect", port };
  worker.postMessage(message, [port]);
}

/** The kubeconfig that a new learner finds. The address leads to the page's connection. */
const defaultConfig = `apiVersion: v1
kind: Config
clusters:
- name: tidepool
  cluster:
    server: https://tidepool:6443
users:
- name: admin
  user: {}
contexts:
- name: tidepool
  context:
    cluster: tidepool
    user: admin
    namespace: default
current-context: tidepool
`;

function writeDefaultConfig(files: FileSystem): void {
  const path = files.resolve("~/.kube/config");
  if (files.exists(path)) return;
  files.makeDirectory(directoryOf(path), true);
  files.write(path, defaultConfig);
}

/** Bits of cobra's ShellCompDirective. */
const noSpace = 2;
const noFileCompletion = 4;
const filterExtensions = 8;

/** Reads what `__complete` prints: "value\tdescription" lines and ":directive". */
export function parseCompletions(output: string): Completions {
  const lines = output.split("\n").filter((line) => line !== "");
  const last = lines.pop() ?? "";
  const directive = last.startsWith(":") ? Number(last.slice(1)) : 1;
  if (directive & 1) return { values: [], noSpace: false, files: true, extensions: [] }; // an error
  if (directive & filterExtensions) return { values: [], noSpace: false, files: true, extensions: lines };
  return {
    values: lines.map((line) => {
      const [value = "", description = ""] = line.split("\t", 2);
      return { value, description };
    }),
    noSpace: (directive & noSpace) !== 0,
    files: (directive & noFileCompletion) === 0,
    extensions: [],
  };
}

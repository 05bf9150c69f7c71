/**
 * The console: tabs with the terminal and the editor. The terminal is built as
 * soon as the page has time for it, kubectl is loaded when the cluster can be
 * seen, and the editor after it, unless somebody asks for it before.
 */
import { asset, type Config } from "./config.js";
import { announce, byId } from "./dom.js";
import type { Editor } from "./editor.js";
import type { Kubectl } from "./kubectl.js";
import { idle, pause } from "./pause.js";
import type { TerminalView } from "./terminal.js";
import type { FileSystem } from "./vfs.js";

const tabs = ["terminal", "editor"] as const;
type Tab = (typeof tabs)[number];

/** How long, in milliseconds after the map, kubectl waits for somebody to want it. */
const patience = 1500;

const help: Record<Tab, string> = {
  terminal: "Ctrl-C interrupts · Tab completes · Esc, then Tab leaves the terminal",
  editor: "Ctrl-S saves · Esc, then Tab leaves the editor",
};

export interface ConsoleOptions {
  config: Config;
  files: FileSystem;
  /** Opens a connection to the present cluster's API. */
  connect(): MessagePort;
  /** When the cluster can be seen. */
  after: Promise<void>;
}

export class Console {
  #terminal: Promise<TerminalView>;
  #kubectl: Promise<Kubectl>;
  #editor: Promise<Editor> | undefined;
  #hint = byId("console-hint");
  #bar = byId("kubectl-progress") as HTMLProgressElement;
  #shown: Tab = "terminal";
  #loading = "Loading kubectl…"; // or what went wrong with that; "" once it is there

  constructor(private readonly options: ConsoleOptions) {
    this.#kubectl = this.#makeKubectl();
    this.#terminal = this.#loadTerminal();
    const loaded = this.#kubectl.then((kubectl) => this.#loadKubectl(kubectl));
    // The editor comes last: it would keep the processor from the cluster and kubectl.
    void Promise.all([this.#terminal, loaded]).then(() => idle()).then(() => this.#loadEditor());
    for (const [i, tab] of tabs.entries()) {
      const button = byId(`tab-${tab}`);
      button.addEventListener("click", () => this.show(tab, true));
      button.addEventListener("keydown", (event) => {
        if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
        const next = tabs[1 - i] ?? tab;
        this.show(next, false);
        byId(`tab-${next}`).focus();
      });
    }
  }

  /** Types commands into the terminal, here-documents included, and runs them. */
  async run(commands: string): Promise<void> {
    this.show("terminal", false);
    const terminal = await this.#terminal;
    await terminal.run(commands.trimEnd());
  }

  /** Directs kubectl at the present cluster. */
  async reconnect(): Promise<void> {
    await (await this.#kubectl).reconnect();
  }

  show(name: Tab, focus: boolean): void {
    for (const tab of tabs) {
      const selected = tab === name;
      const button = byId(`tab-${tab}`);
      button.setAttribute("aria-selected", String(selected));
      button.tabIndex = selected ? 0 : -1;
      byId(tab).hidden = !selected;
    }
    this.#shown = name;
    this.#say(this.#loading || help[name]);
    const panel = name === "terminal" ? this.#terminal : this.#loadEditor();
    if (focus) void panel.then((panel) => panel.focus());
  }

  async #loadTerminal(): Promise<TerminalView> {
    const { TerminalView } = await import("./terminal.js");
    await idle();
    return TerminalView.open(byId("terminal"), this.options.files, await this.#kubectl, (path) => this.#edit(path));
  }

  async #makeKubectl(): Promise<Kubectl> {
    const { config, files, connect } = this.options;
    const { Kubectl } = await import("./kubectl.js");
    return new Kubectl({
      startWorker: () => new Worker(asset(config, "kubectl-worker.js"), { type: "module", name: "kubectl" }),
      wasm: asset(config, "kubectl.wasm"),
      runtime: asset(config, "wasm_exec.js"),
      size: config.kubectlSize,
      connect,
      files,
      onProgress: (loaded, total) => this.#progress(loaded, total),
    });
  }

  /** Loads kubectl once it is wanted, and says how that went. */
  async #loadKubectl(kubectl: Kubectl): Promise<void> {
    const say = (text: string) => {
      this.#loading = text;
      this.#bar.hidden = true;
      this.#say(text || help[this.#shown]);
    };
    say(this.#loading);
    await this.options.after;
    await this.#wanted();
    await kubectl.load().then(
      () => say(""),
      (error: unknown) => say(error instanceof Error ? error.message : String(error)),
    );
  }

  /**
   * Resolves when somebody turns to the console, or after a while. Compiling
   * kubectl keeps every core busy, which the cluster's first pods need more.
   */
  #wanted(): Promise<void> {
    return new Promise((resolve) => {
      const now = () => resolve();
      setTimeout(now, patience);
      byId("terminal").addEventListener("focusin", now, { once: true });
      byId("lesson").addEventListener("pointerenter", now, { once: true });
    });
  }

  #loadEditor(): Promise<Editor> {
    this.#editor ??= import("./editor.js").then(async ({ Editor }) => {
      await pause();
      return new Editor(byId("editor"), this.options.files, (path) => void this.run(`kubectl apply -f ${this.#relative(path)}`));
    });
    return this.#editor;
  }

  /** A path as one would type it where the shell is. */
  #relative(path: string): string {
    const { cwd, home } = this.options.files;
    if (path.startsWith(`${cwd}/`)) return path.slice(cwd.length + 1);
    return path.startsWith(`${home}/`) ? `~/${path.slice(home.length + 1)}` : path;
  }

  /** Opens a file for `kubectl edit`, until the learner returns to the terminal. */
  async #edit(path: string): Promise<void> {
    this.show("editor", true);
    const editor = await this.#loadEditor();
    const before = editor.path;
    editor.open(path);
    const task = "kubectl waits: change the file, then return to the terminal";
    this.#say(task);
    announce(task);
    await new Promise((resolve) => byId("tab-terminal").addEventListener("click", resolve, { once: true }));
    editor.save();
    if (before) editor.open(before);
  }

  #progress(loaded: number, total: number): void {
    this.#loading = "Loading kubectl…";
    this.#bar.hidden = total === 0;
    if (total > 0) this.#bar.value = Math.min(loaded / total, 1);
    this.#say(this.#loading);
  }

  #say(text: string): void {
    if (this.#hint.textContent !== text) this.#hint.textContent = text;
  }
}

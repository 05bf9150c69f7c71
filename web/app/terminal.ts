/** The terminal: xterm.js around the shell. */
import { FitAddon } from "@xterm/addon-fit";
import { Terminal as XTerm, type ITheme } from "@xterm/xterm";
import type { Kubectl } from "./kubectl.js";
import { Shell } from "./shell.js";
import { ShellTerminal } from "./shell-terminal.js";
import { pause } from "./pause.js";
import type { FileSystem } from "./vfs.js";

const fontFamily = "ui-monospace, 'SF Mono', 'Cascadia Code', Menlo, Consolas, monospace";
const fontSize = 13;
const lineHeight = 1.25;

const historyKey = "tidepool.history";
const historyLength = 500;

export class TerminalView {
  #xterm: XTerm;
  #terminal: ShellTerminal;

  private constructor(
    private readonly holder: HTMLElement,
    shell: Shell,
  ) {
    this.#xterm = new XTerm({
      ...estimatedSize(holder),
      convertEol: true,
      cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      fontFamily,
      fontSize,
      lineHeight,
      scrollback: 5000,
      theme: theme(holder),
    });
    this.#terminal = new ShellTerminal(this.#xterm, shell, {
      history: JSON.parse(localStorage.getItem(historyKey) ?? "[]") as string[],
      onHistory: (lines) => localStorage.setItem(historyKey, JSON.stringify(lines.slice(-historyLength))),
    });
  }

  /** Builds the terminal in pieces, because drawing all at once would block the page. */
  static async open(holder: HTMLElement, files: FileSystem, kubectl: Kubectl, edit: (path: string) => Promise<void>): Promise<TerminalView> {
    const view = new TerminalView(holder, new Shell({ files, kubectl, edit }));
    for (const piece of [() => view.#draw(), () => view.#fit(), () => view.#makeAccessible(), () => view.#start()]) {
      await pause();
      piece();
    }
    return view;
  }

  #draw(): void {
    this.holder.replaceChildren();
    this.#xterm.open(this.holder);
  }

  #fit(): void {
    const fit = new FitAddon();
    this.#xterm.loadAddon(fit);
    fit.fit();
    new ResizeObserver(() => this.holder.clientHeight > 0 && fit.fit()).observe(this.holder);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (this.#xterm.options.theme = theme(this.holder)));
  }

  #makeAccessible(): void {
    this.#xterm.options.screenReaderMode = true;
    this.#leaveByEscape();
  }

  #start(): void {
    this.#terminal.start("A cluster, and the real kubectl. Try: kubectl get nodes\n");
  }

  run(line: string): Promise<unknown> {
    this.#xterm.focus();
    return this.#terminal.run(line);
  }

  focus(): void {
    this.#xterm.focus();
  }

  /** Tab belongs to the shell, so Escape lets the next Tab leave the terminal. */
  #leaveByEscape(): void {
    let leaving = false;
    this.#xterm.attachCustomKeyEventHandler((event) => {
      if (event.type !== "keydown") return true;
      if (event.key === "Escape") {
        leaving = true;
        return true;
      }
      if (event.key === "Tab" && leaving) {
        leaving = false;
        return false; // the browser moves the focus
      }
      if (event.key !== "Shift") leaving = false;
      return true;
    });
    this.holder.addEventListener("focusin", () => (leaving = false));
  }
}

/** About as many columns and rows as fit, so that little is drawn anew when xterm.js has measured its font. */
function estimatedSize(holder: HTMLElement): { cols: number; rows: number } {
  const context = document.createElement("canvas").getContext("2d") as CanvasRenderingContext2D;
  context.font = `${fontSize}px ${fontFamily}`;
  const character = context.measureText("W").width || fontSize * 0.6;
  return {
    cols: Math.max(20, Math.floor(holder.clientWidth / character)),
    rows: Math.max(2, Math.floor(holder.clientHeight / (fontSize * lineHeight))),
  };
}

function theme(element: Element): ITheme {
  const style = getComputedStyle(element);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const colors = Object.fromEntries(
    ["red", "green", "yellow", "blue", "magenta", "cyan"].flatMap((name) => {
      const value = color(`--terminal-${name}`);
      return [
        [name, value],
        [`bright${name.charAt(0).toUpperCase()}${name.slice(1)}`, value],
      ];
    }),
  );
  return {
    ...colors,
    background: color("--terminal"),
    foreground: color("--terminal-text"),
    cursor: color("--terminal-cursor"),
    selectionBackground: color("--terminal-selection"),
  };
}

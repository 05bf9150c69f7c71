/** The terminal: xterm.js around the shell. */
import { FitAddon } from "@xterm/addon-fit";
import { Terminal as XTerm, type ITheme } from "@xterm/xterm";
import type { Kubectl } from "./kubectl.js";
import { Shell } from "./shell.js";
import { ShellTerminal } from "./shell-terminal.js";
import type { FileSystem } from "./vfs.js";

const historyKey = "tidepool.history";
const historyLength = 500;

export class TerminalView {
  #xterm: XTerm;
  #terminal: ShellTerminal;

  constructor(holder: HTMLElement, files: FileSystem, kubectl: Kubectl, edit: (path: string) => Promise<void>) {
    this.#xterm = new XTerm({
      convertEol: true,
      cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      fontFamily: "ui-monospace, 'SF Mono', 'Cascadia Code', Menlo, Consolas, monospace",
      fontSize: 13,
      lineHeight: 1.25,
      screenReaderMode: true,
      scrollback: 5000,
      theme: theme(holder),
    });
    const fit = new FitAddon();
    this.#xterm.loadAddon(fit);
    holder.replaceChildren();
    this.#xterm.open(holder);
    fit.fit();
    new ResizeObserver(() => holder.clientHeight > 0 && fit.fit()).observe(holder);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (this.#xterm.options.theme = theme(holder)));
    this.#leaveByEscape(holder);
    const shell = new Shell({ files, kubectl, edit });
    this.#terminal = new ShellTerminal(this.#xterm, shell, {
      history: JSON.parse(localStorage.getItem(historyKey) ?? "[]") as string[],
      onHistory: (lines) => localStorage.setItem(historyKey, JSON.stringify(lines.slice(-historyLength))),
    });
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
  #leaveByEscape(holder: HTMLElement): void {
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
    holder.addEventListener("focusin", () => (leaving = false));
  }
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

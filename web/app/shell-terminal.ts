/**
 * The shell at a terminal: the prompt, line editing, history, completion, and the
 * keys that reach a running command. xterm's Terminal is a Screen; it must convert
 * ends of lines (convertEol).
 */
import type { Completion, Input, Terminal } from "./kubectl.js";
import type { Shell } from "./shell.js";

/** What it needs of a terminal emulator. */
export interface Screen {
  readonly cols: number;
  readonly rows: number;
  write(data: string | Uint8Array): void;
  onData(listener: (data: string) => void): unknown;
  onResize(listener: () => void): { dispose(): void };
}

export interface ShellTerminalOptions {
  /** Lines typed earlier, oldest first. */
  history?: string[];
  /** Told of all lines after each new one. */
  onHistory?(lines: readonly string[]): void;
}

/** One key, escape sequence or bracketed paste. */
const keys = /\x1b\[200~[\s\S]*?\x1b\[201~|\x1b\[[0-9;]*[~A-Za-z]|\x1bO[A-Za-z]|\x1b[\s\S]|[\s\S]/gu;

const eraseBelow = "\x1b[J";
const clearScreen = "\x1b[H\x1b[2J\x1b[3J";
const bracketedPaste = "\x1b[?2004h";
const continuation = "> ";

/** More suggestions than this are not listed. */
const listLimit = 120;

export class ShellTerminal {
  #screen: Screen;
  #shell: Shell;
  #options: ShellTerminalOptions;

  #line = "";
  #cursor = 0;
  /** The cursor's row, counted from the prompt's. */
  #row = 0;
  /** Text cut by Ctrl-K, Ctrl-U and Ctrl-W. */
  #cut = "";
  /** Where in the history the line comes from, and what was typed before. */
  #recalled: { index: number; typed: string } | undefined;
  #queue: string[] = [];
  #completing: AbortController | undefined;
  #running: { input: TypedInput; aborter: AbortController; done: Promise<number> } | undefined;
  /** Keys go to the running command as they are typed. */
  #raw = false;
  /** The last byte on the screen ended a line. */
  #atLineStart = true;

  constructor(screen: Screen, shell: Shell, options: ShellTerminalOptions = {}) {
    this.#screen = screen;
    this.#shell = shell;
    this.#options = options;
    for (const line of options.history ?? []) shell.remember(line);
  }

  /** Prints a greeting and the first prompt, and begins to listen. */
  start(greeting = ""): void {
    this.#screen.write(bracketedPaste + greeting);
    this.#screen.onData((data) => this.type(data));
    this.#prompt();
  }

  /** Whether a command is running. */
  get busy(): boolean {
    return this.#running !== undefined;
  }

  /** Takes what a keyboard sends. */
  type(data: string): void {
    for (const key of data.match(keys) ?? []) {
      if (key === "\x03" && this.#completing) this.#completing.abort();
      this.#queue.push(key);
    }
    this.#pump();
  }

  /**
   * Types a line and runs it, instead of what was being typed, and interrupts what
   * was running. Returns the exit code.
   */
  async run(line: string): Promise<number> {
    this.#completing?.abort();
    this.#running?.aborter.abort();
    await this.#running?.done;
    this.#set(line, line.length);
    this.#render();
    return this.#submit();
  }

  /** Handles keys, up to one that takes time. */
  #pump(): void {
    while (!this.#completing) {
      const key = this.#queue.shift();
      if (key === undefined) return;
      if (this.#running) this.#whileRunning(key);
      else this.#edit(key);
    }
  }

  // ---- while a command runs: a terminal in its usual, line by line mode, or raw

  #whileRunning(key: string): void {
    const { input, aborter } = this.#running!;
    if (this.#raw) input.push(pasted(key)?.replaceAll("\n", "\r") ?? key);
    else if (key === "\x03") {
      this.#print("^C\n");
      input.discard();
      aborter.abort();
    } else if (key === "\x04") input.flush();
    else if (key === "\r" || key === "\n") {
      this.#print("\n");
      input.enter();
    } else if (key === "\x7f" || key === "\b") {
      this.#print("\b \b".repeat(width(shownOf(input.erase()))));
    } else {
      const parts = pasted(key) ?? [key];
      this.#print([...parts].map(shownOf).join(""));
      for (const part of parts) {
        if (part === "\n") input.enter();
        else input.add(part);
      }
    }
  }

  #submit(): Promise<number> {
    const line = this.#line;
    this.#move(line.length);
    this.#print("\n");
    this.#shell.remember(line);
    if (line.trim() !== "") this.#options.onHistory?.(this.#shell.history);
    const input = new TypedInput();
    const aborter = new AbortController();
    const output = (data: Uint8Array): void => {
      if (data.length === 0) return;
      this.#atLineStart = data.at(-1) === 10;
      this.#screen.write(data);
    };
    const terminal = { of: this.#asTerminal(), stdin: input, stdout: output };
    const done = this.#shell
      .run(line, { stdin: input, stdout: output, stderr: output, signal: aborter.signal, clear: () => this.#clear(), terminal })
      .catch((error: unknown) => {
        this.#print(`${error instanceof Error ? error.message : String(error)}\n`);
        return 1;
      })
      .then((code) => {
        input.end();
        this.#running = undefined;
        this.#raw = false;
        if (!this.#atLineStart) this.#print("\n");
        this.#set("", 0);
        this.#recalled = undefined;
        this.#prompt();
        this.#queue.unshift(...input.unread());
        this.#pump();
        return code;
      });
    this.#running = { input, aborter, done };
    return done;
  }

  #asTerminal(): Terminal {
    const screen = this.#screen;
    return {
      get columns() {
        return screen.cols;
      },
      get rows() {
        return screen.rows;
      },
      raw: (on) => void (this.#raw = on),
      onResize: (listener) => {
        const listening = screen.onResize(listener);
        return () => listening.dispose();
      },
    };
  }

  // ---- while a line is typed

  #edit(key: string): void {
    const binding = bindings[key];
    const text = pasted(key)?.replace(/\n+$/, "");
    if (binding) binding.call(this.#editor);
    else if (text !== undefined) this.#insert(text);
    else if (!key.startsWith("\x1b") && key >= " ") this.#insert(key);
  }

  /** What keys are bound to. */
  readonly #editor: Editor = {
    enter: () => {
      if (this.#shell.needsMore(this.#line)) {
        this.#move(this.#line.length);
        this.#insert("\n");
      } else void this.#submit();
    },
    interrupt: () => {
      this.#move(this.#line.length);
      this.#print("^C\n");
      this.#set("", 0);
      this.#recalled = undefined;
      this.#prompt();
    },
    endOfInput: () => {
      if (this.#line !== "") this.#replace(this.#cursor, this.#next(), "");
    },
    complete: () => void this.#complete(),
    left: () => this.#move(this.#previous()),
    right: () => this.#move(this.#next()),
    home: () => this.#move(0),
    end: () => this.#move(this.#line.length),
    wordLeft: () => this.#move(this.#wordStart(/\w/)),
    wordRight: () => this.#move(this.#cursor + /^\W*\w*/.exec(this.#line.slice(this.#cursor))![0].length),
    erase: () => this.#replace(this.#previous(), this.#cursor, ""),
    remove: () => this.#replace(this.#cursor, this.#next(), ""),
    cutToEnd: () => this.#cutOut(this.#cursor, this.#line.length),
    cutToStart: () => this.#cutOut(0, this.#cursor),
    cutWord: () => this.#cutOut(this.#wordStart(/\S/), this.#cursor),
    cutWordRight: () => this.#cutOut(this.#cursor, this.#cursor + /^\W*\w*/.exec(this.#line.slice(this.#cursor))![0].length),
    paste: () => this.#insert(this.#cut),
    clear: () => {
      this.#clear();
      this.#render();
    },
    older: () => this.#recall(-1),
    newer: () => this.#recall(1),
  };

  #insert(text: string): void {
    const atEnd = this.#cursor === this.#line.length;
    const before = this.#position(this.#cursor);
    this.#set(this.#line.slice(0, this.#cursor) + text + this.#line.slice(this.#cursor), this.#cursor + text.length);
    const after = this.#position(this.#cursor);
    // Nothing else changes on the screen: kinder to screen readers.
    if (atEnd && before.row === after.row && !text.includes("\n")) this.#screen.write(text);
    else this.#render();
  }

  #replace(from: number, to: number, text: string): void {
    this.#set(this.#line.slice(0, from) + text + this.#line.slice(to), from + text.length);
    this.#render();
  }

  #cutOut(from: number, to: number): void {
    if (from === to) return;
    this.#cut = this.#line.slice(from, to);
    this.#replace(from, to, "");
  }

  #move(to: number): void {
    this.#cursor = to;
    const { row, column } = this.#position(to);
    this.#screen.write(vertical(row - this.#row) + "\r" + forward(column));
    this.#row = row;
  }

  #set(line: string, cursor: number): void {
    this.#line = line;
    this.#cursor = cursor;
  }

  #recall(step: 1 | -1): void {
    const { history } = this.#shell;
    const index = (this.#recalled?.index ?? history.length) + step;
    if (index < 0 || index > history.length || (index === history.length && !this.#recalled)) return;
    const typed = this.#recalled?.typed ?? this.#line;
    const line = index === history.length ? typed : history[index]!;
    this.#recalled = index === history.length ? undefined : { index, typed };
    this.#set(line, line.length);
    this.#render();
  }

  #previous(): number {
    return this.#cursor - (lastCharacter(this.#line.slice(0, this.#cursor))?.length ?? 0);
  }

  #next(): number {
    return this.#cursor + ([...this.#line.slice(this.#cursor)][0]?.length ?? 0);
  }

  #wordStart(character: RegExp): number {
    let at = this.#cursor;
    while (at > 0 && !character.test(this.#line[at - 1]!)) at--;
    while (at > 0 && character.test(this.#line[at - 1]!)) at--;
    return at;
  }

  // ---- completion

  async #complete(): Promise<void> {
    const before = this.#line.slice(0, this.#cursor);
    const aborter = new AbortController();
    this.#completing = aborter;
    try {
      const { start, values, suffix } = await this.#shell.complete(before, aborter.signal);
      if (aborter.signal.aborted || values.length === 0) return;
      const typed = before.slice(start);
      const common = commonPrefix(values.map((v) => v.value));
      if (values.length === 1) this.#replace(start, this.#cursor, common + suffix);
      else if (common.length > typed.length) this.#replace(start, this.#cursor, common);
      else this.#list(values);
    } catch {
      // Completion is a courtesy: the command itself will say what is wrong.
    } finally {
      if (this.#completing === aborter) this.#completing = undefined;
      this.#pump();
    }
  }

  #list(values: Completion[]): void {
    const end = this.#cursor;
    this.#move(this.#line.length);
    const shown = values.slice(0, listLimit);
    const widest = Math.max(...shown.map((v) => width(v.value)));
    const rows: string[] = [];
    if (shown.some((v) => v.description !== "") && shown.length <= 40) {
      const room = this.#screen.cols - widest - 5;
      for (const { value, description } of shown) {
        const told = room > 10 ? `  ${dim(description.slice(0, room))}` : "";
        rows.push(pad(value, widest) + told);
      }
    } else {
      const columns = Math.max(1, Math.floor(this.#screen.cols / (widest + 2)));
      const height = Math.ceil(shown.length / columns);
      for (let row = 0; row < height; row++) {
        const cells = shown.filter((_, i) => i % height === row).map((v) => pad(v.value, widest + 2));
        rows.push(cells.join("").trimEnd());
      }
    }
    if (values.length > shown.length) rows.push(dim(`… and ${values.length - shown.length} more`));
    this.#print("\n" + rows.join("\n") + "\n");
    this.#row = 0;
    this.#cursor = end;
    this.#render();
  }

  // ---- drawing

  #print(text: string): void {
    if (text === "") return;
    this.#atLineStart = text.endsWith("\n");
    this.#screen.write(text);
  }

  #clear(): void {
    this.#row = 0;
    this.#atLineStart = true;
    this.#screen.write(clearScreen);
  }

  #prompt(): void {
    this.#row = 0;
    this.#render();
  }

  get #promptText(): string {
    return `${this.#shell.place} $ `;
  }

  /** Draws the prompt and the line over what was drawn before. */
  #render(): void {
    const place = this.#shell.place;
    const prompt = `\x1b[36m${place}\x1b[0m $ `;
    const end = this.#position(this.#line.length);
    const cursor = this.#position(this.#cursor);
    const wrap = end.column === 0 && end.row > 0 && !this.#line.endsWith("\n") ? " \b" : "";
    this.#screen.write(
      vertical(-this.#row) +
        "\r" +
        eraseBelow +
        prompt +
        this.#line.replaceAll("\n", `\r\n${continuation}`) +
        wrap +
        vertical(cursor.row - end.row) +
        "\r" +
        forward(cursor.column),
    );
    this.#row = cursor.row;
    this.#atLineStart = false;
  }

  /** Where a place in the line is on the screen, from where the prompt begins. */
  #position(index: number): { row: number; column: number } {
    let row = 0;
    let column = width(this.#promptText);
    for (const character of this.#line.slice(0, index)) {
      if (character === "\n") {
        row++;
        column = continuation.length;
        continue;
      }
      const w = width(character);
      if (column + w > this.#screen.cols) {
        row++;
        column = 0;
      }
      column += w;
    }
    return column >= this.#screen.cols ? { row: row + 1, column: 0 } : { row, column };
  }
}

/** What a key can do to the line. */
interface Editor {
  enter(): void;
  interrupt(): void;
  endOfInput(): void;
  complete(): void;
  left(): void;
  right(): void;
  home(): void;
  end(): void;
  wordLeft(): void;
  wordRight(): void;
  erase(): void;
  remove(): void;
  cutToEnd(): void;
  cutToStart(): void;
  cutWord(): void;
  cutWordRight(): void;
  paste(): void;
  clear(): void;
  older(): void;
  newer(): void;
}

const bindings: Record<string, (this: Editor) => void> = Object.fromEntries(
  Object.entries({
    enter: ["\r", "\n"],
    interrupt: ["\x03"],
    endOfInput: ["\x04"],
    complete: ["\t"],
    left: ["\x1b[D", "\x1bOD", "\x02"],
    right: ["\x1b[C", "\x1bOC", "\x06"],
    home: ["\x1b[H", "\x1bOH", "\x1b[1~", "\x01"],
    end: ["\x1b[F", "\x1bOF", "\x1b[4~", "\x05"],
    wordLeft: ["\x1bb", "\x1b[1;5D", "\x1b[1;3D"],
    wordRight: ["\x1bf", "\x1b[1;5C", "\x1b[1;3C"],
    erase: ["\x7f", "\b"],
    remove: ["\x1b[3~"],
    cutToEnd: ["\x0b"],
    cutToStart: ["\x15"],
    cutWord: ["\x17", "\x1b\x7f"],
    cutWordRight: ["\x1bd"],
    paste: ["\x19"],
    clear: ["\x0c"],
    older: ["\x1b[A", "\x1bOA", "\x10"],
    newer: ["\x1b[B", "\x1bOB", "\x0e"],
  } satisfies Record<keyof Editor, string[]>).flatMap(([name, sequences]) =>
    sequences.map((sequence) => [
      sequence,
      function (this: Editor) {
        this[name as keyof Editor]();
      },
    ]),
  ),
);

/** What is typed while a command runs, line by line. */
class TypedInput implements Input {
  #lines: Uint8Array[] = [];
  /** The keys of the line that is being typed. */
  #line: string[] = [];
  #ended = false;
  #wake: () => void = () => undefined;

  add(key: string): void {
    this.#line.push(key);
  }

  /** Takes the last key back and returns it. */
  erase(): string {
    return this.#line.pop() ?? "";
  }

  enter(): void {
    this.push(this.#line.join("") + "\n");
    this.#line = [];
  }

  /** Hands over a text at once. */
  push(text: string): void {
    this.#lines.push(new TextEncoder().encode(text));
    this.#wake();
  }

  /** Ctrl-D: hands over what is typed, or ends the input when nothing is. */
  flush(): void {
    if (this.#line.length === 0) return this.end();
    this.push(this.#line.join(""));
    this.#line = [];
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** Forgets what nobody has read. */
  discard(): void {
    this.#lines = [];
    this.#line = [];
  }

  async read(): Promise<Uint8Array | null> {
    while (this.#lines.length === 0 && !this.#ended) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#lines.shift() ?? null;
  }

  /** The keys that nobody has read: they were typed ahead. */
  unread(): string[] {
    const decoder = new TextDecoder();
    return [...(this.#lines.map((line) => decoder.decode(line)).join("").match(keys) ?? []), ...this.#line];
  }
}

function pasted(key: string): string | undefined {
  return /^\x1b\[200~([\s\S]*)\x1b\[201~$/.exec(key)?.[1]?.replace(/\r\n?/g, "\n").replace(/[\x00-\x09\x0b-\x1f]/g, (c) => (c === "\t" ? "  " : ""));
}

/** What a key shows as it is typed: Tab, arrows and their like do nothing before their line is edited. */
function shownOf(key: string): string {
  return key >= " " || key === "\n" ? key : "";
}

function lastCharacter(text: string): string | undefined {
  return [...text].at(-1);
}

function commonPrefix(values: string[]): string {
  const first = values[0] ?? "";
  let length = first.length;
  for (const value of values) while (!value.startsWith(first.slice(0, length))) length--;
  return first.slice(0, length);
}

/** Columns that a text takes: East Asian and emoji characters take two. */
function width(text: string): number {
  let columns = 0;
  for (const character of text) columns += /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}]/u.test(character) ? 2 : 1;
  return columns;
}

function pad(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - width(text)));
}

function dim(text: string): string {
  return text === "" ? "" : `\x1b[2m${text}\x1b[0m`;
}

function vertical(rows: number): string {
  return rows === 0 ? "" : rows < 0 ? `\x1b[${-rows}A` : `\x1b[${rows}B`;
}

function forward(columns: number): string {
  return columns === 0 ? "" : `\x1b[${columns}C`;
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { interrupted, type Completions, type RunOptions } from "../app/kubectl.js";
import { Shell } from "../app/shell.js";
import { ShellTerminal } from "../app/shell-terminal.js";
import { FileSystem } from "../app/vfs.js";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** As much of a terminal emulator as the line editor uses. */
class FakeScreen {
  cols = 40;
  readonly rows = 24;
  lines: string[] = [""];
  row = 0;
  column = 0;
  #listener: (data: string) => void = () => undefined;

  onResize(): { dispose(): void } {
    return { dispose: () => undefined };
  }

  onData(listener: (data: string) => void): void {
    this.#listener = listener;
  }

  send(data: string): void {
    this.#listener(data);
  }

  write(data: string | Uint8Array): void {
    const text = typeof data === "string" ? data : new TextDecoder().decode(data);
    for (const [token] of text.matchAll(/\x1b\[[?0-9;]*[A-Za-z]|[\s\S]/gu)) this.#token(token);
  }

  #token(token: string): void {
    const control = /^\x1b\[([?0-9;]*)([A-Za-z])$/.exec(token);
    const count = Number(control?.[1] ?? 0) || 1;
    if (token === "\r") this.column = 0;
    else if (token === "\n") this.#goTo(this.row + 1, 0);
    else if (token === "\b") this.column = Math.max(0, this.column - 1);
    else if (control?.[2] === "A") this.#goTo(this.row - count, this.column);
    else if (control?.[2] === "B") this.#goTo(this.row + count, this.column);
    else if (control?.[2] === "C") this.column += count;
    else if (control?.[2] === "H") this.#goTo(0, 0);
    else if (token === "\x1b[J") {
      this.lines.length = this.row + 1;
      this.lines[this.row] = this.lines[this.row]!.slice(0, this.column);
    } else if (token === "\x1b[2J") this.lines = [""];
    else if (!control) {
      if (this.column >= this.cols) this.#goTo(this.row + 1, 0);
      const line = this.lines[this.row]!.padEnd(this.column);
      this.lines[this.row] = line.slice(0, this.column) + token + line.slice(this.column + 1);
      this.column++;
    }
  }

  #goTo(row: number, column: number): void {
    this.row = Math.max(0, row);
    this.column = column;
    while (this.lines.length <= this.row) this.lines.push("");
  }

  /** What is seen, and a bar where the cursor is. */
  get seen(): string {
    return this.lines
      .map((line, i) => (i === this.row ? line.padEnd(this.column).slice(0, this.column) + "▏" + line.slice(this.column) : line).trimEnd())
      .join("\n");
  }
}

const kubectl = {
  async run(args: string[], options: RunOptions): Promise<number> {
    if (args[0] === "exec") {
      const { terminal, stdin } = options;
      if (!terminal?.stdin) return 1;
      terminal.of.raw(true);
      for (let data = await stdin!.read(); data && !data.includes(4); data = await stdin!.read()) {
        options.stdout(encode(JSON.stringify(new TextDecoder().decode(data))));
      }
      return 7;
    }
    if (args[0] === "watch") {
      options.stdout(encode("watching\n"));
      await new Promise((resolve) => options.signal?.addEventListener("abort", resolve));
      return interrupted;
    }
    options.stdout(encode(`ran ${args.join(" ")}`));
    return 0;
  },
  async complete(words: string[]): Promise<Completions> {
    const all = ["pods", "podtemplates", "nodes"].map((value) => ({ value, description: "" }));
    return { values: all.filter((v) => v.value.startsWith(words.at(-1)!)), noSpace: false, files: false, extensions: [] };
  },
};

function newTerminal(history: string[] = []): { screen: FakeScreen; terminal: ShellTerminal; shell: Shell; saved: string[][] } {
  const screen = new FakeScreen();
  const files = new FileSystem();
  const shell = new Shell({ files, kubectl });
  const saved: string[][] = [];
  const terminal = new ShellTerminal(screen, shell, { history, onHistory: (lines) => saved.push([...lines]) });
  terminal.start();
  return { screen, terminal, shell, saved };
}

/** Lets everything that waits for nothing outside run. */
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

const left = "\x1b[D";
const up = "\x1b[A";
const down = "\x1b[B";

test("a line is edited", async (t) => {
  const cases: [string, string, string][] = [
    ["typing", "abc", "~ $ abc▏"],
    ["inserting", `ac${left}b`, "~ $ ab▏c"],
    ["erasing", "abc\x7f", "~ $ ab▏"],
    ["erasing in the middle", `abc${left}\x7f`, "~ $ a▏c"],
    ["removing", `abc${left}${left}\x1b[3~`, "~ $ a▏c"],
    ["start and end", "bc\x01a\x05d", "~ $ abcd▏"],
    ["words", "one two\x1bb\x1bbX", "~ $ X▏one two"],
    ["cutting a word", "get pods -w\x17", "~ $ get pods ▏"],
    ["cutting and pasting", "abc\x15x\x19", "~ $ xabc▏"],
    ["cutting to the end", `abc${left}${left}\x0b`, "~ $ a▏"],
    ["history", `${up}${up}${down}`, "~ $ second▏"],
    ["back from history", `new${up}${down}`, "~ $ new▏"],
    ["beyond history", `${up}${up}${up}${up}`, "~ $ first▏"],
    ["nothing newer", down, "~ $ ▏"],
    ["wrapping", "x".repeat(38), `~ $ ${"x".repeat(36)}\nxx▏`],
    ["wrapping exactly", "x".repeat(36), `~ $ ${"x".repeat(36)}\n▏`],
    ["editing a wrapped line", "x".repeat(36) + "y\x01z", `~ $ z▏${"x".repeat(35)}\nxy`],
    ["an unknown key", "a\x1b[15~b", "~ $ ab▏"],
    ["pasting lines", "\x1b[200~echo a\r\necho b\r\n\x1b[201~", "~ $ echo a\n> echo b▏"],
    ["clearing", "abc\x0c", "~ $ abc▏"],
    ["giving up", "abc\x03d", "~ $ abc^C\n~ $ d▏"],
    ["completing", "k get n\t", "~ $ k get nodes ▏"],
    ["completing in part", "k get p\t", "~ $ k get pod▏"],
    ["listing", "k get pod\t", "~ $ k get pod\npods          podtemplates\n~ $ k get pod▏"],
    ["typing on while completing", "k get n\t-w", "~ $ k get nodes -w▏"],
  ];
  for (const [name, typed, want] of cases) {
    await t.test(name, async () => {
      const { screen } = newTerminal(["first", "second"]);
      screen.send(typed);
      await settle();
      assert.equal(screen.seen.replaceAll("▏ ", "▏").trimEnd(), want.trimEnd());
    });
  }
});

test("a line is run, and remembered", async () => {
  const { screen, saved } = newTerminal();
  screen.send("kubectl get pods\r");
  await settle();
  screen.send("kubectl get pods\r");
  await settle();
  assert.equal(screen.seen, "~ $ kubectl get pods\nran get pods\n~ $ kubectl get pods\nran get pods\n~ $ ▏");
  assert.deepEqual(saved.at(-1), ["kubectl get pods"]);
});

test("what is typed ahead is run next", async () => {
  const { screen } = newTerminal();
  screen.send("echo a\recho b\r");
  await settle();
  assert.equal(screen.seen, "~ $ echo a\necho b\na\n~ $ echo b\nb\n~ $ ▏");
});

test("keys that edit a line are kept when they are typed ahead", async () => {
  const { screen } = newTerminal();
  screen.send("echo a\recho c\x7fc\x1b[Db");
  await settle();
  assert.equal(screen.seen, "~ $ echo a\necho cba\n~ $ echo b▏c");
});

test("keys are kept that follow an interruption before the prompt is back", async () => {
  const { screen, terminal } = newTerminal();
  screen.send("k watch\r");
  await settle();
  screen.send("forgotten\x03echo kept\r");
  await settle();
  assert.equal(terminal.busy, false);
  assert.equal(screen.seen.split("\n").slice(-3).join("\n"), "~ $ echo kept\nkept\n~ $ ▏");
});

test("an unfinished line goes on in the next row", async () => {
  const { screen, saved } = newTerminal();
  screen.send("cat <<EOF\ra\rEOF\r");
  await settle();
  assert.equal(screen.seen, "~ $ cat <<EOF\n> a\n> EOF\na\n~ $ ▏");
  assert.deepEqual(saved, [["cat <<EOF\na\nEOF"]]);
});

test("Ctrl-C interrupts a command", async () => {
  const { screen, terminal } = newTerminal();
  screen.send("k watch\r");
  await settle();
  assert.equal(terminal.busy, true);
  screen.send("\x03");
  await settle();
  assert.equal(terminal.busy, false);
  assert.equal(screen.seen, "~ $ k watch\nwatching\n^C\n~ $ ▏");
});

test("a command reads what is typed, up to Ctrl-D", async () => {
  const { screen } = newTerminal();
  screen.send("wc -l\r");
  screen.send("oen\x7f\x7fne\rtwo\r\x04");
  await settle();
  assert.equal(screen.seen, "~ $ wc -l\none\ntwo\n2\n~ $ ▏");
});

test("a line that the page runs replaces what is typed and what runs", async () => {
  const { screen, terminal } = newTerminal();
  screen.send("k watch\r");
  await settle();
  screen.send("half");
  assert.equal(await terminal.run("echo done"), 0);
  assert.ok(screen.seen.endsWith("~ $ echo done\ndone\n~ $ ▏"), screen.seen);
});

test("keys reach a program that wants them raw, and then the shell again", async () => {
  const { screen, terminal, shell } = newTerminal();
  screen.send("k exec\r");
  await settle();
  screen.send("l\x03\r\x1b[A\x1b[200~one\ntwo\x1b[201~");
  await settle();
  assert.equal(terminal.busy, true);
  screen.send("\x04echo $?\r");
  await settle();
  assert.equal(screen.seen.replace(/\n(?!~|7)/g, ""), `~ $ k exec"l""\\u0003""\\r""\\u001b[A""one\\rtwo"\n~ $ echo $?\n7\n~ $ ▏`);
  assert.equal(await shell.run("echo typed | k exec", { stdin: { read: async () => null }, stdout: () => undefined, stderr: () => undefined, signal: new AbortController().signal }), 1);
});

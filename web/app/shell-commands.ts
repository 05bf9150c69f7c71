/**
 * The few commands that the page's shell has besides kubectl: small versions of
 * the tools that stand around kubectl in every tutorial.
 */
import type { Input } from "./kubectl.js";
import { baseOf, FileError, type FileSystem } from "./vfs.js";

/** What a command runs with. */
export interface Context {
  args: string[];
  stdin: Input;
  stdout(data: Uint8Array): void;
  stderr(data: Uint8Array): void;
  signal: AbortSignal;
  files: FileSystem;
  variables: Map<string, string>;
  history: readonly string[];
  clear(): void;
  edit: ((path: string) => Promise<void>) | undefined;
}

export interface Command {
  /** How it is called, for help. */
  usage: string;
  /** What it does, in a few words. */
  summary: string;
  run(context: Context): Promise<number> | number;
}

/** Ends a command with a message that its name is put before. */
export class CommandError extends Error {
  constructor(
    message: string,
    readonly code = 1,
  ) {
    super(message);
  }
}

const encoder = new TextEncoder();

export const commands: Record<string, Command> = {
  cat: {
    usage: "cat [FILE]...",
    summary: "print files, or what is piped in",
    run: async (context) => {
      for await (const chunk of inputs(context, context.args)) context.stdout(chunk);
      return 0;
    },
  },
  cd: {
    usage: "cd [DIRECTORY]",
    summary: "change the directory",
    run: ({ args, files }) => {
      const target = args[0] ?? files.home;
      if (files.stat(target).kind !== "directory") throw new FileError("ENOTDIR", target);
      files.cwd = files.resolve(target);
      return 0;
    },
  },
  clear: {
    usage: "clear",
    summary: "clear the terminal",
    run: (context) => {
      context.clear();
      return 0;
    },
  },
  cp: {
    usage: "cp FILE... TARGET",
    summary: "copy files",
    run: ({ args, files }) => {
      for (const [from, to] of toTarget(args, files)) files.write(to, files.read(from));
      return 0;
    },
  },
  echo: {
    usage: "echo [-n] [WORD]...",
    summary: "print its words",
    run: (context) => {
      const bare = context.args[0] === "-n";
      print(context, (bare ? context.args.slice(1) : context.args).join(" ") + (bare ? "" : "\n"));
      return 0;
    },
  },
  edit: {
    usage: "edit FILE",
    summary: "open a file in the page's editor",
    run: async ({ args, files, edit }) => {
      if (args.length !== 1) throw new CommandError("name one file");
      if (!edit) throw new CommandError("there is no editor here");
      const path = files.resolve(args[0]!);
      if (!files.exists(path)) files.write(path, "");
      else files.read(path); // it must be a file
      await edit(path);
      return 0;
    },
  },
  export: {
    usage: "export NAME=VALUE...",
    summary: "set variables",
    run: ({ args, variables }) => {
      for (const arg of args) {
        const [name = "", ...value] = arg.split("=");
        if (!/^[A-Za-z_]\w*$/.test(name)) throw new CommandError(`${JSON.stringify(name)} is not a name`);
        if (arg.includes("=")) variables.set(name, value.join("="));
      }
      return 0;
    },
  },
  false: { usage: "false", summary: "fail", run: () => 1 },
  grep: {
    usage: "grep [-ivnowcqE] [-A N] [-B N] PATTERN [FILE]...",
    summary: "print the lines that match",
    run: grep,
  },
  head: {
    usage: "head [-n N] [FILE]...",
    summary: "print the first lines",
    run: async (context) => {
      const { count, rest } = lineCount(context.args);
      let left = count;
      if (left > 0) {
        for await (const line of lines(inputs(context, rest))) {
          print(context, line + "\n");
          if (--left === 0) break;
        }
      }
      return 0;
    },
  },
  history: {
    usage: "history",
    summary: "print what has been typed",
    run: (context) => {
      context.history.forEach((line, i) => print(context, `${String(i + 1).padStart(5)}  ${line}\n`));
      return 0;
    },
  },
  ls: { usage: "ls [-la] [PATH]...", summary: "list files", run: ls },
  mkdir: {
    usage: "mkdir [-p] DIRECTORY...",
    summary: "create directories",
    run: ({ args, files }) => {
      const { flags, rest } = options(args, "p");
      for (const path of needed(rest)) files.makeDirectory(path, flags.has("p"));
      return 0;
    },
  },
  mv: {
    usage: "mv FILE... TARGET",
    summary: "move or rename files",
    run: ({ args, files }) => {
      for (const [from, to] of toTarget(args, files)) files.rename(from, to);
      return 0;
    },
  },
  pwd: {
    usage: "pwd",
    summary: "print the directory",
    run: (context) => {
      print(context, context.files.cwd + "\n");
      return 0;
    },
  },
  rm: {
    usage: "rm [-rf] FILE...",
    summary: "remove files",
    run: ({ args, files }) => {
      const { flags, rest } = options(args, "rRf");
      const recursive = flags.has("r") || flags.has("R");
      for (const path of needed(rest)) {
        if (flags.has("f") && !files.exists(path)) continue;
        if (!recursive && files.isDirectory(path)) throw new FileError("EISDIR", path);
        files.remove(path, recursive);
      }
      return 0;
    },
  },
  sleep: {
    usage: "sleep SECONDS",
    summary: "wait",
    run: async ({ args, signal }) => {
      const seconds = Number((args[0] ?? "").replace(/s$/, ""));
      if (!(seconds >= 0) || args.length !== 1) throw new CommandError("say how many seconds");
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, seconds * 1000);
        signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
      });
      return 0;
    },
  },
  sort: {
    usage: "sort [-rnu] [FILE]...",
    summary: "sort lines",
    run: async (context) => {
      const { flags, rest } = options(context.args, "rnu");
      let all = await collect(lines(inputs(context, rest)));
      const number = (line: string): number => Number.parseFloat(line) || 0;
      all.sort((a, b) => (flags.has("n") && number(a) - number(b)) || (a < b ? -1 : a > b ? 1 : 0));
      if (flags.has("r")) all.reverse();
      if (flags.has("u")) all = all.filter((line, i) => i === 0 || line !== all[i - 1]);
      print(context, all.map((line) => line + "\n").join(""));
      return 0;
    },
  },
  tail: {
    usage: "tail [-n N] [FILE]...",
    summary: "print the last lines",
    run: async (context) => {
      const { count, rest } = lineCount(context.args);
      const all = await collect(lines(inputs(context, rest)));
      const last = count === 0 ? [] : all.slice(-count);
      print(context, last.map((line) => line + "\n").join(""));
      return 0;
    },
  },
  tee: {
    usage: "tee [-a] FILE...",
    summary: "write what is piped in to files and on",
    run: async (context) => {
      const { flags, rest } = options(context.args, "a");
      if (!flags.has("a")) for (const path of rest) context.files.write(path, "");
      for await (const chunk of inputs(context, [])) {
        for (const path of rest) context.files.append(path, chunk);
        context.stdout(chunk);
      }
      return 0;
    },
  },
  touch: {
    usage: "touch FILE...",
    summary: "create empty files",
    run: ({ args, files }) => {
      for (const path of needed(args)) files.write(path, files.exists(path) ? files.read(path) : "");
      return 0;
    },
  },
  true: { usage: "true", summary: "succeed", run: () => 0 },
  uniq: {
    usage: "uniq [-c] [FILE]",
    summary: "drop repeated lines",
    run: async (context) => {
      const { flags, rest } = options(context.args, "c");
      const runs: { line: string; count: number }[] = [];
      for await (const line of lines(inputs(context, rest))) {
        const last = runs.at(-1);
        if (last?.line === line) last.count++;
        else runs.push({ line, count: 1 });
      }
      for (const { line, count } of runs) print(context, (flags.has("c") ? `${String(count).padStart(7)} ` : "") + line + "\n");
      return 0;
    },
  },
  wc: { usage: "wc [-lwc] [FILE]...", summary: "count lines, words and bytes", run: wc },
};

async function grep(context: Context): Promise<number> {
  const { flags, values, rest } = options(context.args, "ivnowcqEF", "AB");
  const [pattern, ...paths] = rest;
  if (pattern === undefined) throw new CommandError("say what to look for", 2);
  const match = matcher(pattern, flags);
  const before = number(values.get("B") ?? "0");
  const after = number(values.get("A") ?? "0");
  let count = 0;
  let index = 0;
  let trailing = 0;
  const waiting: [number, string][] = [];
  const show = (n: number, line: string, mark: string): void =>
    print(context, (flags.has("n") ? `${n}${mark}` : "") + line + "\n");
  for await (const line of lines(inputs(context, paths))) {
    index++;
    const found = match(line);
    if ((found !== null) !== flags.has("v")) {
      count++;
      trailing = after;
      if (flags.has("q")) break;
      if (flags.has("c")) continue;
      for (const [n, text] of waiting.splice(0)) show(n, text, "-");
      if (flags.has("o") && found) for (const text of found) show(index, text, ":");
      else show(index, line, ":");
    } else if (trailing > 0) {
      trailing--;
      if (!flags.has("c")) show(index, line, "-");
    } else if (before > 0) {
      waiting.push([index, line]);
      if (waiting.length > before) waiting.shift();
    }
  }
  if (flags.has("c") && !flags.has("q")) print(context, `${count}\n`);
  return count > 0 ? 0 : 1;
}

/** Returns a function that finds all matches in a line, or null. */
function matcher(pattern: string, flags: Set<string>): (line: string) => string[] | null {
  let source = flags.has("F") ? pattern.replace(/[.*+?^${}()|[\]\\]/g, "\\$&") : pattern;
  // In a basic expression these are literal without a backslash, and special with it.
  if (!flags.has("E") && !flags.has("F")) source = source.replace(/\\([+?|(){}])|([+?|(){}])/g, (_, special, plain) => special ?? `\\${plain}`);
  if (flags.has("w")) source = `\\b(?:${source})\\b`;
  let expression: RegExp;
  try {
    expression = new RegExp(source, flags.has("i") ? "gi" : "g");
  } catch {
    throw new CommandError(`${JSON.stringify(pattern)} is not a regular expression`, 2);
  }
  return (line) => line.match(expression);
}

function ls(context: Context): number {
  const { files } = context;
  const { flags, rest } = options(context.args, "la1");
  const paths = rest.length > 0 ? rest : ["."];
  paths.forEach((path, i) => {
    let names = files.isDirectory(path) ? files.list(path) : [(files.stat(path), path)];
    if (files.isDirectory(path)) {
      if (!flags.has("a")) names = names.filter((name) => !name.startsWith("."));
      if (paths.length > 1) print(context, `${i > 0 ? "\n" : ""}${path}:\n`);
    }
    for (const name of names) {
      const stat = files.stat(files.isDirectory(path) ? `${path}/${name}` : path);
      const shown = stat.kind === "directory" ? `${name}/` : name;
      if (!flags.has("l")) print(context, shown + "\n");
      else {
        const when = new Date(stat.modified).toISOString().slice(0, 16).replace("T", " ");
        print(context, `${String(stat.size).padStart(8)}  ${when}  ${shown}\n`);
      }
    }
  });
  return 0;
}

async function wc(context: Context): Promise<number> {
  const { flags, rest } = options(context.args, "lwc");
  const wanted = ["l", "w", "c"].filter((flag) => flags.size === 0 || flags.has(flag));
  for (const path of rest.length > 0 ? rest : [undefined]) {
    const decoder = new TextDecoder();
    let text = "";
    let bytes = 0;
    for await (const chunk of inputs(context, path === undefined ? [] : [path])) {
      bytes += chunk.length;
      text += decoder.decode(chunk, { stream: true });
    }
    const counts: Record<string, number> = { l: text.split("\n").length - 1, w: text.split(/\s+/).filter(Boolean).length, c: bytes };
    const columns = wanted.map((flag) => String(counts[flag]));
    const plain = columns.length === 1 && path === undefined;
    print(context, columns.map((c) => (plain ? c : c.padStart(7))).join(" ") + (path === undefined ? "" : ` ${path}`) + "\n");
  }
  return 0;
}

export function print(context: Pick<Context, "stdout">, text: string): void {
  context.stdout(encoder.encode(text));
}

/** Letters of flags, and the words that are none. Those in `valued` take a value. */
function options(args: string[], known: string, valued = ""): { flags: Set<string>; values: Map<string, string>; rest: string[] } {
  const flags = new Set<string>();
  const values = new Map<string, string>();
  const rest: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--") {
      rest.push(...args.slice(i + 1));
      break;
    }
    if (!/^-[^-]/.test(arg)) {
      if (arg.startsWith("--")) throw new CommandError(`unknown option ${arg}`, 2);
      rest.push(arg);
      continue;
    }
    for (let j = 1; j < arg.length; j++) {
      const letter = arg[j]!;
      if (valued.includes(letter)) {
        values.set(letter, arg.slice(j + 1) || (args[++i] ?? ""));
        break;
      }
      if (!known.includes(letter)) throw new CommandError(`unknown option -${letter}`, 2);
      flags.add(letter);
    }
  }
  return { flags, values, rest };
}

/** Reads "-n 3", "-n3" and "-3". */
function lineCount(args: string[]): { count: number; rest: string[] } {
  const plain = args.map((arg) => (/^-\d+$/.test(arg) ? `-n${arg.slice(1)}` : arg));
  const { values, rest } = options(plain, "", "n");
  return { count: number(values.get("n") ?? "10"), rest };
}

function number(text: string): number {
  if (!/^\d+$/.test(text)) throw new CommandError(`${JSON.stringify(text)} is not a number of lines`);
  return Number(text);
}

function needed(paths: string[]): string[] {
  if (paths.length === 0) throw new CommandError("name a file");
  return paths;
}

/** Pairs each source with its path in the target, which may be a directory. */
function toTarget(args: string[], files: FileSystem): [string, string][] {
  const { rest } = options(args, "rf");
  const target = rest.pop();
  if (target === undefined || rest.length === 0) throw new CommandError("name a file and a target");
  if (files.isDirectory(target)) return rest.map((from) => [from, `${target}/${baseOf(from)}`]);
  if (rest.length > 1) throw new FileError("ENOTDIR", target);
  return [[rest[0]!, target]];
}

/** The content of files, or, when there are none, of the standard input. */
async function* inputs(context: Context, paths: string[]): AsyncGenerator<Uint8Array> {
  for (const path of paths) if (path !== "-") yield context.files.read(path);
  if (paths.length > 0 && !paths.includes("-")) return;
  for (;;) {
    const chunk = await context.stdin.read();
    if (!chunk || context.signal.aborted) return;
    yield chunk;
  }
}

async function* lines(chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    const complete = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = complete.pop() ?? "";
    yield* complete;
  }
  if (rest !== "") yield rest;
}

async function collect(source: AsyncGenerator<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const item of source) all.push(item);
  return all;
}

/**
 * The page's shell: runs command lines over the page's files, kubectl and the few
 * commands of shell-commands.ts, and completes them. It knows no terminal.
 */
import type { Completion, Input, Kubectl, Terminal } from "./kubectl.js";
import { interrupted } from "./kubectl.js";
import { CommandError, commands, print, type Context } from "./shell-commands.js";
import { parse, quote, ShellSyntaxError, unfinished, type Part, type Pipeline, type Redirection, type SimpleCommand, type Word } from "./shell-parse.js";
import { baseOf, FileError, type FileSystem } from "./vfs.js";

export interface ShellOptions {
  files: FileSystem;
  kubectl: Pick<Kubectl, "run" | "complete">;
  /** Lets a person change a file; resolves when they are done. */
  edit?(path: string): Promise<void>;
}

/** Where a command line reads and writes. */
export interface Streams {
  stdin: Input;
  stdout(data: Uint8Array): void;
  stderr(data: Uint8Array): void;
  /** Interrupts whatever runs. */
  signal: AbortSignal;
  /** Clears the screen, if there is one. */
  clear?(): void;
  /** The terminal, and the streams that are its. */
  terminal?: { of: Terminal; stdin: Input; stdout(data: Uint8Array): void };
}

/** Ways to complete what stands before the cursor. */
export interface Suggestions {
  /** Where the text to be replaced begins. */
  start: number;
  values: Completion[];
  /** What follows a value that is complete. */
  suffix: "" | " ";
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Names under which kubectl is called. */
const kubectlNames = ["kubectl", "k"];

/** Names under which people look for an editor. */
const editors = ["vi", "vim", "nano", "emacs"];

const nothing: Input = { read: async () => null };

export class Shell {
  readonly files: FileSystem;
  /** What has been run, oldest first. */
  readonly history: string[] = [];
  readonly variables = new Map<string, string>();
  #options: ShellOptions;

  constructor(options: ShellOptions) {
    this.#options = options;
    this.files = options.files;
    this.variables.set("HOME", options.files.home).set("?", "0");
  }

  /** Reports whether a source is unfinished and the next line belongs to it. */
  needsMore(source: string): boolean {
    try {
      parse(source);
      return false;
    } catch (error) {
      return error instanceof ShellSyntaxError && error.incomplete;
    }
  }

  /** Adds a line to the history, unless it repeats the last. */
  remember(line: string): void {
    if (line.trim() !== "" && line !== this.history.at(-1)) this.history.push(line);
  }

  /** Runs a source of one or more lines and returns the exit code of the last command. */
  async run(source: string, streams: Streams): Promise<number> {
    let pipelines: Pipeline[];
    try {
      pipelines = parse(source);
    } catch (error) {
      if (!(error instanceof ShellSyntaxError)) throw error;
      streams.stderr(encoder.encode(`${error.message}\n`));
      return this.#ended(2);
    }
    for (const pipeline of pipelines) {
      if (streams.signal.aborted) return this.#ended(interrupted);
      const succeeded = this.variables.get("?") === "0";
      if (pipeline.when === (succeeded ? "failure" : "success")) continue;
      this.#ended(await this.#runPipeline(pipeline, streams));
    }
    return Number(this.variables.get("?"));
  }

  #ended(code: number): number {
    this.variables.set("?", String(code));
    return code;
  }

  async #runPipeline(pipeline: Pipeline, streams: Streams): Promise<number> {
    let stdin = streams.stdin;
    const running = pipeline.commands.map((command, i) => {
      const last = i === pipeline.commands.length - 1;
      const pipe = last ? undefined : new Pipe();
      const stop = new AbortController();
      const interrupt = (): void => stop.abort();
      streams.signal.addEventListener("abort", interrupt);
      pipe?.onAbandoned(interrupt); // as SIGPIPE does
      const input = stdin;
      if (pipe) stdin = pipe;
      return this.#runCommand(command, {
        ...streams,
        stdin: input,
        stdout: pipe ? (data) => pipe.write(data) : streams.stdout,
        signal: stop.signal,
      }).finally(() => {
        streams.signal.removeEventListener("abort", interrupt);
        pipe?.end();
        if (input instanceof Pipe) input.abandon();
      });
    });
    const codes = await Promise.all(running);
    return codes.at(-1) ?? 0;
  }

  async #runCommand(command: SimpleCommand, streams: Streams): Promise<number> {
    let name = "";
    const complain = (message: string): void => streams.stderr(encoder.encode(`${name ? `${name}: ` : ""}${message}\n`));
    try {
      const expanded = (await Promise.all(command.words.map((word) => this.#expand(word, streams)))).flat();
      name = expanded[0] ?? "";
      streams = await this.#redirect(command.redirections, streams);
      for (const { name, value } of command.assignments) this.variables.set(name, await this.#text(value, streams));
      if (expanded.length === 0) return 0;
      return await this.#execute(name, expanded.slice(1), streams);
    } catch (error) {
      if (streams.signal.aborted) return interrupted;
      if (error instanceof FileError) complain(`${error.path}: ${error.message}`);
      else complain(error instanceof Error ? error.message : String(error));
      return error instanceof CommandError ? error.code : 1;
    }
  }

  async #execute(name: string, args: string[], streams: Streams): Promise<number> {
    const { kubectl, edit } = this.#options;
    if (kubectlNames.includes(name)) {
      const { terminal, ...rest } = streams;
      const at = terminal && { of: terminal.of, stdin: streams.stdin === terminal.stdin, stdout: streams.stdout === terminal.stdout };
      return kubectl.run(args, { ...rest, ...(edit && { edit }), ...(at && { terminal: at }) });
    }
    if (name === "help") {
      print(streams, this.#help());
      return 0;
    }
    const command = commands[editors.includes(name) ? "edit" : name];
    if (!command || !Object.hasOwn(commands, editors.includes(name) ? "edit" : name)) {
      throw new CommandError(`command not found. This shell knows kubectl and a few small commands: type help to see them.`, 127);
    }
    const context: Context = {
      args,
      ...streams,
      files: this.files,
      variables: this.variables,
      history: this.history,
      clear: () => streams.clear?.(),
      edit,
    };
    const code = await command.run(context);
    return streams.signal.aborted ? interrupted : code;
  }

  #help(): string {
    const rows = Object.values(commands).map(({ usage, summary }) => [usage, summary] as const);
    const width = Math.max(...rows.map(([usage]) => usage.length));
    return [
      "kubectl, or k for short, is the real kubectl: try kubectl get nodes, kubectl help.",
      "Beside it there are:",
      ...rows.map(([usage, summary]) => `  ${usage.padEnd(width)}  ${summary}`),
      "Join them with | && || ; > >> < and $( ). Tab completes, Ctrl-C interrupts, ↑ brings back.",
      "",
    ].join("\n");
  }

  async #redirect(redirections: Redirection[], streams: Streams): Promise<Streams> {
    const result = { ...streams };
    for (const redirection of redirections) {
      switch (redirection.kind) {
        case "read":
          result.stdin = inputOf(this.files.read(await this.#fileName(redirection.from, streams)));
          break;
        case "text":
          result.stdin = inputOf(encoder.encode(await this.#text(redirection.body, streams)));
          break;
        case "join":
          result.stderr = result.stdout;
          break;
        case "write": {
          const path = await this.#fileName(redirection.to, streams);
          const discard = path === "/dev/null";
          if (!discard && !(redirection.append && this.files.exists(path))) this.files.write(path, "");
          const write = (data: Uint8Array): void => {
            if (!discard) this.files.append(path, data);
          };
          if (redirection.stream !== "stderr") result.stdout = write;
          if (redirection.stream !== "stdout") result.stderr = write;
        }
      }
    }
    return result;
  }

  async #fileName(word: Word, streams: Streams): Promise<string> {
    const names = await this.#expand(word, streams);
    if (names.length !== 1) throw new CommandError("a redirection needs one file name");
    return names[0]!;
  }

  /** A word as one text. */
  async #text(word: Word, streams: Streams): Promise<string> {
    const texts = await Promise.all(word.parts.map((part) => this.#value(part, streams)));
    return texts.join("");
  }

  /** A word as the arguments it stands for. */
  async #expand(word: Word, streams: Streams): Promise<string[]> {
    /** Fields under construction, with what of them may match file names. */
    const fields: { text: string; pattern: string; present: boolean }[] = [];
    const field = (): (typeof fields)[0] => fields.at(-1) ?? (fields.push({ text: "", pattern: "", present: false }), fields[0]!);
    for (const [i, part] of word.parts.entries()) {
      let value = await this.#value(part, streams);
      if (i === 0 && part.kind === "text" && !part.quoted && /^~(\/|$)/.test(value)) value = this.files.home + value.slice(1);
      if (part.quoted || part.kind === "text") {
        const current = field();
        current.text += value;
        current.pattern += part.quoted ? escapePattern(value) : value;
        current.present ||= part.quoted || value !== "";
        continue;
      }
      const pieces = value.split(/[ \t\n]+/);
      pieces.forEach((piece, j) => {
        if (j > 0) fields.push({ text: "", pattern: "", present: false });
        const current = field();
        current.text += piece;
        current.pattern += piece;
        current.present ||= piece !== "";
      });
    }
    return fields.filter((f) => f.present).flatMap((f) => {
      const found = /[*?[]/.test(f.pattern.replace(/\\./g, "")) ? this.#match(f.pattern) : [];
      return found.length > 0 ? found : [f.text];
    });
  }

  async #value(part: Part, streams: Streams): Promise<string> {
    switch (part.kind) {
      case "text":
        return part.text;
      case "variable":
        return part.name === "PWD" ? this.files.cwd : (this.variables.get(part.name) ?? "");
      case "substitution": {
        const chunks: Uint8Array[] = [];
        await this.run(part.source, { ...streams, stdin: nothing, stdout: (data) => chunks.push(data) });
        return decode(chunks).replace(/\n+$/, "");
      }
    }
  }

  /** The paths that match a pattern, in order. */
  #match(pattern: string): string[] {
    let found = [pattern.startsWith("/") ? "/" : ""];
    for (const segment of pattern.split("/").filter((s) => s !== "")) {
      const expression = segmentExpression(segment);
      found = found.flatMap((base) => {
        const directory = base === "" ? "." : base;
        if (!this.files.isDirectory(directory)) return [];
        const join = (name: string): string => (base === "" || base.endsWith("/") ? base + name : `${base}/${name}`);
        return this.files
          .list(directory)
          .filter((name) => expression.test(name) && (segment.startsWith(".") || !name.startsWith(".")))
          .map(join);
      });
    }
    return found.filter((path) => path !== "");
  }

  /** Suggests how the word that ends a text could go on. */
  async complete(text: string, signal?: AbortSignal): Promise<Suggestions> {
    const { words, last, start, redirection } = unfinished(text);
    if (redirection) return this.#completeFiles(last, start);
    const [name, ...args] = words;
    if (name === undefined) {
      const names = [...kubectlNames, "help", ...Object.keys(commands)].sort();
      const values = names.filter((n) => n.startsWith(last)).map((value) => ({ value, description: commands[value]?.summary ?? "" }));
      return { start, values, suffix: " " };
    }
    if (!kubectlNames.includes(name)) return this.#completeFiles(last, start);

    const answer = await this.#options.kubectl.complete([...args, last], signal);
    // kubectl completes the value in --flag=value, not the whole word.
    const assigned = /^--[^=]+=/.exec(last)?.[0].length ?? 0;
    if (answer.values.length > 0) {
      const values = answer.values.map(({ value, description }) => ({ value: quote(value), description }));
      return { start: start + assigned, values, suffix: answer.noSpace ? "" : " " };
    }
    if (!answer.files) return { start, values: [], suffix: "" };
    return this.#completeFiles(last.slice(assigned), start + assigned, answer.extensions);
  }

  #completeFiles(word: string, start: number, extensions: string[] = []): Suggestions {
    const slash = word.lastIndexOf("/") + 1;
    const directory = word.slice(0, slash);
    const prefix = word.slice(slash);
    if (!this.files.isDirectory(directory || ".")) return { start, values: [], suffix: "" };
    const matching = this.files
      .list(directory || ".")
      .filter((name) => name.startsWith(prefix) && (prefix.startsWith(".") || !name.startsWith(".")))
      .map((name) => ({ path: directory + name, isDirectory: this.files.isDirectory(directory + name) }))
      .filter(({ path, isDirectory }) => isDirectory || extensions.length === 0 || extensions.some((e) => path.endsWith(`.${e}`)));
    const only = matching.length === 1 && !matching[0]!.isDirectory;
    return {
      start,
      values: matching.map(({ path, isDirectory }) => ({ value: quote(path) + (isDirectory ? "/" : ""), description: "" })),
      suffix: only ? " " : "",
    };
  }

  /** The directory as a prompt shows it. */
  get place(): string {
    const { cwd, home } = this.files;
    return cwd === home ? "~" : cwd.startsWith(home + "/") ? `~/${cwd.slice(home.length + 1)}` : cwd === "/" ? "/" : baseOf(cwd);
  }
}

/** What one command writes and the next reads. */
class Pipe implements Input {
  #chunks: Uint8Array[] = [];
  #ended = false;
  #abandoned = false;
  #wake: () => void = () => undefined;
  #onAbandoned: () => void = () => undefined;

  write(data: Uint8Array): void {
    if (this.#abandoned || data.length === 0) return;
    this.#chunks.push(data);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async read(): Promise<Uint8Array | null> {
    while (this.#chunks.length === 0 && !this.#ended) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#chunks.shift() ?? null;
  }

  /** The reader has ended: nobody wants the rest. */
  abandon(): void {
    this.#abandoned = true;
    if (!this.#ended) this.#onAbandoned();
  }

  onAbandoned(listener: () => void): void {
    this.#onAbandoned = listener;
  }
}

function inputOf(data: Uint8Array): Input {
  let rest: Uint8Array | null = data;
  return {
    read: async () => {
      const result = rest;
      rest = null;
      return result && result.length > 0 ? result : null;
    },
  };
}

function decode(chunks: Uint8Array[]): string {
  const stream = new TextDecoder();
  return chunks.map((chunk) => stream.decode(chunk, { stream: true })).join("") + decoder.decode();
}

function escapePattern(text: string): string {
  return text.replace(/[*?[\]\\]/g, "\\$&");
}

/** A regular expression for one segment of a file name pattern. */
function segmentExpression(segment: string): RegExp {
  const source = segment.replace(/\\(.)|\*|\?|\[(!?)([^\]]+)\]|[.+^${}()|[\]\\]/g, (match, escaped: string | undefined, not: string | undefined, set: string | undefined) => {
    if (escaped !== undefined) return escaped.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    if (match === "*") return ".*";
    if (match === "?") return ".";
    if (set !== undefined) return `[${not ? "^" : ""}${set.replace(/[\\\]^]/g, "\\$&")}]`;
    return `\\${match}`;
  });
  return new RegExp(`^${source}$`);
}

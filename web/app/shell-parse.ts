/**
 * The grammar of the page's shell: the part of POSIX sh that people type.
 *
 * Quotes, variables, command substitution, pipes, redirections, here-documents,
 * `&&`, `||`, `;`, comments and line continuation; no loops, functions or jobs.
 */

/** A piece of a word; `quoted` pieces are neither split nor matched against files. */
export type Part =
  | { kind: "text"; text: string; quoted: boolean }
  | { kind: "variable"; name: string; quoted: boolean }
  | { kind: "substitution"; source: string; quoted: boolean };

export interface Word {
  parts: Part[];
  /** Where in the source it begins and ends. */
  start: number;
  end: number;
}

export type Redirection =
  | { kind: "read"; from: Word }
  | { kind: "text"; body: Word }
  | { kind: "write"; stream: "stdout" | "stderr" | "both"; to: Word; append: boolean }
  | { kind: "join" }; // 2>&1

export interface SimpleCommand {
  assignments: { name: string; value: Word }[];
  words: Word[];
  redirections: Redirection[];
}

export interface Pipeline {
  /** When it runs, given how the one before ended. */
  when: "always" | "success" | "failure";
  commands: SimpleCommand[];
}

export class ShellSyntaxError extends Error {
  constructor(
    message: string,
    /** More lines can make it right. */
    readonly incomplete = false,
  ) {
    super(message);
  }
}

type Operator = "|" | "&&" | "||" | ";" | "\n" | "<" | "<<" | "<<-" | "<<<" | ">" | ">>" | "2>" | "2>>" | "2>&1" | "&>" | "&" | "(" | ")";

type Token = { kind: "word"; word: Word } | { kind: "operator"; operator: Operator; end: number };

/** Longest first. */
const operators: Operator[] = ["2>&1", "<<<", "<<-", "2>>", "&&", "||", "<<", ">>", "2>", "&>", "|", ";", "\n", "<", ">", "&", "(", ")"];

export function parse(source: string): Pipeline[] {
  const tokens = tokenize(source);
  const pipelines: Pipeline[] = [];
  let when: Pipeline["when"] = "always";
  let at = 0;
  const operatorAt = (index: number): Operator | undefined => {
    const token = tokens[index];
    return token?.kind === "operator" ? token.operator : undefined;
  };
  const skipLines = (): void => {
    while (operatorAt(at) === "\n") at++;
  };
  /** After an operator that needs something to its right. */
  const needMore = (operator: string): void => {
    skipLines();
    if (at >= tokens.length) throw new ShellSyntaxError(`unexpected end after ${operator}`, true);
  };

  for (;;) {
    while (operatorAt(at) === "\n" || (operatorAt(at) === ";" && pipelines.length > 0 && when === "always")) at++;
    if (at >= tokens.length) return pipelines;
    const commands: SimpleCommand[] = [];
    for (;;) {
      const [command, next] = parseCommand(tokens, at);
      at = next;
      commands.push(command);
      if (operatorAt(at) !== "|") break;
      at++;
      needMore("|");
    }
    pipelines.push({ when, commands });
    const operator = operatorAt(at);
    at++;
    switch (operator) {
      case undefined:
        return pipelines;
      case ";":
      case "\n":
        when = "always";
        break;
      case "&&":
      case "||":
        when = operator === "&&" ? "success" : "failure";
        needMore(operator);
        break;
      case "&":
        throw new ShellSyntaxError("this shell runs nothing in the background: leave out the &");
      default:
        throw new ShellSyntaxError(`syntax error near ${JSON.stringify(operator)}`);
    }
  }
}

function parseCommand(tokens: Token[], at: number): [SimpleCommand, number] {
  const command: SimpleCommand = { assignments: [], words: [], redirections: [] };
  const begin = at;
  for (; at < tokens.length; at++) {
    const token = tokens[at]!;
    if (token.kind === "word") {
      const assignment = command.words.length === 0 ? asAssignment(token.word) : null;
      if (assignment) command.assignments.push(assignment);
      else command.words.push(token.word);
      continue;
    }
    const redirection = redirections[token.operator];
    if (!redirection) break;
    if (token.operator === "2>&1") {
      command.redirections.push({ kind: "join" });
      continue;
    }
    const target = tokens[++at];
    if (target?.kind !== "word") throw new ShellSyntaxError(`a file name must follow ${token.operator}`);
    command.redirections.push(redirection(target.word));
  }
  if (at === begin) {
    const token = tokens[at];
    const what = token?.kind === "operator" ? JSON.stringify(token.operator) : "the end";
    throw new ShellSyntaxError(`syntax error near ${what}`);
  }
  return [command, at];
}

const redirections: Partial<Record<Operator, (word: Word) => Redirection>> = {
  "<": (from) => ({ kind: "read", from }),
  "<<": (body) => ({ kind: "text", body }),
  "<<-": (body) => ({ kind: "text", body }),
  "<<<": (word) => ({ kind: "text", body: { ...word, parts: [...word.parts, { kind: "text", text: "\n", quoted: true }] } }),
  ">": (to) => ({ kind: "write", stream: "stdout", to, append: false }),
  ">>": (to) => ({ kind: "write", stream: "stdout", to, append: true }),
  "2>": (to) => ({ kind: "write", stream: "stderr", to, append: false }),
  "2>>": (to) => ({ kind: "write", stream: "stderr", to, append: true }),
  "&>": (to) => ({ kind: "write", stream: "both", to, append: false }),
  "2>&1": () => ({ kind: "join" }),
};

function asAssignment(word: Word): { name: string; value: Word } | null {
  const first = word.parts[0];
  if (first?.kind !== "text" || first.quoted) return null;
  const match = /^([A-Za-z_][A-Za-z0-9_]*)=/.exec(first.text);
  if (!match) return null;
  const rest: Part = { kind: "text", text: first.text.slice(match[0].length), quoted: false };
  return { name: match[1]!, value: { ...word, parts: [rest, ...word.parts.slice(1)] } };
}

/** Splits a source into words and operators. */
function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  const scanner = new Scanner(source);
  /** Here-documents whose bodies begin after the line's end. */
  let pending: { word: Word; stripTabs: boolean }[] = [];
  for (;;) {
    scanner.skipBlanks();
    if (scanner.atEnd()) break;
    const operator = scanner.operator();
    if (!operator) {
      const word = scanner.word();
      const before = tokens.at(-1);
      if (before?.kind === "operator" && (before.operator === "<<" || before.operator === "<<-")) {
        pending.push({ word, stripTabs: before.operator === "<<-" });
      }
      tokens.push({ kind: "word", word });
      continue;
    }
    if (operator === "(" || operator === ")") throw new ShellSyntaxError(`this shell has no subshells: quote the ${operator}`);
    tokens.push({ kind: "operator", operator, end: scanner.at });
    if (operator === "\n") {
      for (const document of pending) scanner.hereDocument(document.word, document.stripTabs);
      pending = [];
    }
  }
  if (pending.length > 0) throw new ShellSyntaxError("the text after << has no end", true);
  return tokens;
}

class Scanner {
  at = 0;
  constructor(
    readonly source: string,
    /** Take an open quote at the end as closed: while somebody is typing. */
    readonly lenient = false,
  ) {}

  atEnd(): boolean {
    return this.at >= this.source.length;
  }

  /** Skips spaces, continued lines and comments. */
  skipBlanks(): void {
    for (;;) {
      const c = this.source[this.at];
      if (c === " " || c === "\t" || c === "\r") this.at++;
      else if (c === "\\" && this.source[this.at + 1] === "\n") this.at += 2;
      else if (c === "#") while (!this.atEnd() && this.source[this.at] !== "\n") this.at++;
      else return;
    }
  }

  operator(): Operator | undefined {
    const found = operators.find((operator) => this.source.startsWith(operator, this.at));
    if (found) this.at += found.length;
    return found;
  }

  word(): Word {
    const start = this.at;
    const parts: Part[] = [];
    const add = (text: string, quoted: boolean): void => {
      const last = parts.at(-1);
      if (last?.kind === "text" && last.quoted === quoted) last.text += text;
      else parts.push({ kind: "text", text, quoted });
    };
    while (!this.atEnd()) {
      const c = this.source[this.at]!;
      if (/[\s|&;<>()]/.test(c)) break;
      this.at++;
      if (c === "'") add(this.#until("'"), true);
      else if (c === '"') this.#doubleQuoted(parts, add);
      else if (c === "$") this.#dollar(parts, add, false);
      else if (c === "\\") {
        if (this.atEnd() && !this.lenient) throw new ShellSyntaxError("unexpected end after \\", true);
        const next = this.source[this.at] ?? "";
        this.at++;
        if (next !== "\n") add(next, true);
      } else add(c, false);
    }
    return { parts, start, end: this.at };
  }

  #until(end: string): string {
    const close = this.source.indexOf(end, this.at);
    if (close < 0 && !this.lenient) throw new ShellSyntaxError(`unexpected end: ${end} is not closed`, true);
    const text = this.source.slice(this.at, close < 0 ? undefined : close);
    this.at = close < 0 ? this.source.length : close + 1;
    return text;
  }

  #doubleQuoted(parts: Part[], add: (text: string, quoted: boolean) => void): void {
    add("", true); // so that "" is a word
    while (!this.atEnd()) {
      const c = this.source[this.at++]!;
      if (c === '"') return;
      if (c === "$") this.#dollar(parts, add, true);
      else if (c === "\\" && /["\\$`\n]/.test(this.source[this.at] ?? "")) {
        const next = this.source[this.at++]!;
        if (next !== "\n") add(next, true);
      } else add(c, true);
    }
    if (!this.lenient) throw new ShellSyntaxError('unexpected end: " is not closed', true);
  }

  /** After a $: a variable, a substitution or a dollar sign. */
  #dollar(parts: Part[], add: (text: string, quoted: boolean) => void, quoted: boolean): void {
    const rest = this.source.slice(this.at);
    const braced = /^\{([A-Za-z_][A-Za-z0-9_]*|\?)\}/.exec(rest);
    const plain = /^([A-Za-z_][A-Za-z0-9_]*|\?)/.exec(rest);
    const name = braced ?? plain;
    if (name) {
      this.at += name[0].length;
      parts.push({ kind: "variable", name: name[1]!, quoted });
    } else if (rest.startsWith("(")) {
      parts.push({ kind: "substitution", source: this.#substitution(), quoted });
    } else add("$", true);
  }

  /** After a $ before (: what stands between the parentheses. */
  #substitution(): string {
    const inner = new Scanner(this.source, this.lenient);
    inner.at = this.at + 1;
    const start = inner.at;
    for (let depth = 1; ; ) {
      inner.skipBlanks();
      if (inner.atEnd()) {
        if (!this.lenient) throw new ShellSyntaxError("unexpected end: $( is not closed", true);
        this.at = inner.at;
        return this.source.slice(start);
      }
      const operator = inner.operator();
      if (operator === "(") depth++;
      else if (operator === ")" && --depth === 0) {
        this.at = inner.at;
        return this.source.slice(start, inner.at - 1);
      } else if (!operator) inner.word();
    }
  }

  /** Replaces the word after << by the text up to the line that repeats it. */
  hereDocument(word: Word, stripTabs: boolean): void {
    const end = word.parts.map((part) => (part.kind === "text" ? part.text : "")).join("");
    const literal = word.parts.some((part) => part.quoted);
    let text = "";
    for (;;) {
      if (this.atEnd()) throw new ShellSyntaxError(`the text after << must end with the line ${end}`, true);
      const newline = this.source.indexOf("\n", this.at);
      let line = this.source.slice(this.at, newline < 0 ? undefined : newline);
      this.at = newline < 0 ? this.source.length : newline + 1;
      if (stripTabs) line = line.replace(/^\t+/, "");
      if (line === end) break;
      text += line + "\n";
    }
    word.parts = literal ? [{ kind: "text", text, quoted: true }] : expandable(text);
  }
}

/** The parts of a text in which only variables and substitutions mean something. */
function expandable(text: string): Part[] {
  const escaped = text.replaceAll('"', '\\"');
  return new Scanner(`"${escaped}"`).word().parts;
}

/** The command that somebody is typing at the end of a source. */
export interface Unfinished {
  /** Its words before the one at the end. */
  words: string[];
  /** The word at the end, empty after a space, and where it begins. */
  last: string;
  start: number;
  /** The word names a file to read or write. */
  redirection: boolean;
}

export function unfinished(source: string): Unfinished {
  const scanner = new Scanner(source, true);
  let words: Word[] = [];
  let afterRedirection = false;
  let lastIsTarget = false;
  for (;;) {
    scanner.skipBlanks();
    if (scanner.atEnd()) break;
    const operator = scanner.operator();
    if (operator) {
      afterRedirection = operator in redirections && operator !== "2>&1";
      if (!afterRedirection && operator !== "2>&1") words = [];
      continue;
    }
    const word = scanner.word();
    lastIsTarget = afterRedirection;
    if (!afterRedirection || word.end === source.length) words.push(word);
    afterRedirection = false;
  }
  const last = words.at(-1);
  const typing = last !== undefined && last.end === source.length;
  return {
    words: (typing ? words.slice(0, -1) : words).map(literal),
    last: typing ? literal(last) : "",
    start: typing ? last.start : source.length,
    redirection: typing ? lastIsTarget : afterRedirection,
  };
}

/** A word as it is written, without its quotes. */
function literal(word: Word): string {
  return word.parts.map((part) => (part.kind === "text" ? part.text : part.kind === "variable" ? `$${part.name}` : `$(${part.source})`)).join("");
}

/** Writes a text so that the shell reads it as one word. */
export function quote(text: string): string {
  if (text === "") return "''";
  return /^[A-Za-z0-9_@%+=:,./~-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

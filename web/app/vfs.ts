/**
 * The page's own small file system: what `cat`, `-f file` and the editor see.
 *
 * It lives in memory. Whoever wants to keep it, or to share it with a worker,
 * listens to its changes and applies changes from elsewhere; it knows neither.
 */

/** One file or directory as it is now, or its absence. */
export type Change =
  | { path: string; kind: "file"; content: Uint8Array; modified: number }
  | { path: string; kind: "directory"; modified: number }
  | { path: string; kind: "absent" };

/** The POSIX names of what can go wrong. */
export type FileErrorCode = "ENOENT" | "EEXIST" | "EISDIR" | "ENOTDIR" | "ENOTEMPTY" | "EINVAL" | "EBADF";

const messages: Record<FileErrorCode, string> = {
  ENOENT: "No such file or directory",
  EEXIST: "File exists",
  EISDIR: "Is a directory",
  ENOTDIR: "Not a directory",
  ENOTEMPTY: "Directory not empty",
  EINVAL: "Invalid argument",
  EBADF: "Bad file descriptor",
};

export class FileError extends Error {
  constructor(
    readonly code: FileErrorCode,
    readonly path: string,
  ) {
    super(messages[code]);
    this.name = "FileError";
  }
}

export interface Stat {
  kind: "file" | "directory";
  size: number;
  /** Milliseconds since 1970. */
  modified: number;
}

type Node = { kind: "file"; content: Uint8Array; modified: number } | { kind: "directory"; modified: number };

export type Listener = (change: Change, origin: unknown) => void;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class FileSystem {
  readonly home: string;
  /** The current directory, always absolute. */
  cwd: string;
  #nodes = new Map<string, Node>();
  #listeners = new Set<Listener>();
  #now: () => number;

  constructor(options: { home?: string; now?: () => number } = {}) {
    this.home = options.home ?? "/home/learner";
    this.#now = options.now ?? Date.now;
    this.#nodes.set("/", { kind: "directory", modified: this.#now() });
    this.cwd = "/";
    this.makeDirectory(this.home, true);
    this.makeDirectory("/tmp", true);
    this.cwd = this.home;
  }

  /** Makes a path absolute and free of ".", ".." and "~". */
  resolve(path: string): string {
    if (path === "~" || path.startsWith("~/")) path = this.home + path.slice(1);
    const parts: string[] = [];
    const absolute = path.startsWith("/") ? path : `${this.cwd}/${path}`;
    for (const part of absolute.split("/")) {
      if (part === "" || part === ".") continue;
      if (part === "..") parts.pop();
      else parts.push(part);
    }
    return "/" + parts.join("/");
  }

  stat(path: string): Stat {
    const node = this.#get(path);
    return { kind: node.kind, size: node.kind === "file" ? node.content.length : 0, modified: node.modified };
  }

  exists(path: string): boolean {
    return this.#nodes.has(this.resolve(path));
  }

  isDirectory(path: string): boolean {
    return this.#nodes.get(this.resolve(path))?.kind === "directory";
  }

  /** The content itself, not a copy: never write into it. */
  read(path: string): Uint8Array {
    const node = this.#get(path);
    if (node.kind === "directory") throw new FileError("EISDIR", path);
    return node.content;
  }

  readText(path: string): string {
    return decoder.decode(this.read(path));
  }

  /** Creates or replaces a file. Its directory must exist. */
  write(path: string, content: Uint8Array | string): void {
    const absolute = this.resolve(path);
    this.#requireParent(absolute, path);
    if (this.#nodes.get(absolute)?.kind === "directory") throw new FileError("EISDIR", path);
    const bytes = typeof content === "string" ? encoder.encode(content) : content;
    this.#set(absolute, { kind: "file", content: bytes, modified: this.#now() }, this);
  }

  append(path: string, content: Uint8Array | string): void {
    const before = this.exists(path) ? this.read(path) : new Uint8Array();
    const added = typeof content === "string" ? encoder.encode(content) : content;
    const both = new Uint8Array(before.length + added.length);
    both.set(before);
    both.set(added, before.length);
    this.write(path, both);
  }

  /** Creates a directory, with those above it when asked to. */
  makeDirectory(path: string, parents = false): void {
    const absolute = this.resolve(path);
    const present = this.#nodes.get(absolute);
    if (present) {
      if (parents && present.kind === "directory") return;
      throw new FileError("EEXIST", path);
    }
    const parent = directoryOf(absolute);
    if (parents && !this.#nodes.has(parent)) this.makeDirectory(parent, true);
    this.#requireParent(absolute, path);
    this.#set(absolute, { kind: "directory", modified: this.#now() }, this);
  }

  /** Removes a file or an empty directory, or, when asked to, a whole tree. */
  remove(path: string, recursive = false): void {
    const absolute = this.resolve(path);
    const node = this.#get(path);
    if (absolute === "/") throw new FileError("EINVAL", path);
    if (node.kind === "directory") {
      const below = this.#below(absolute);
      if (below.length > 0 && !recursive) throw new FileError("ENOTEMPTY", path);
      for (const name of below.reverse()) this.#delete(name, this);
      if (this.cwd === absolute || this.cwd.startsWith(absolute + "/")) this.cwd = directoryOf(absolute);
    }
    this.#delete(absolute, this);
  }

  /** Moves a file or a tree to a new path, replacing a file that is there. */
  rename(from: string, to: string): void {
    const source = this.resolve(from);
    const target = this.resolve(to);
    const node = this.#get(from);
    this.#requireParent(target, to);
    if (source === target) return;
    if (target.startsWith(source + "/")) throw new FileError("EINVAL", to);
    const present = this.#nodes.get(target);
    if (present?.kind === "directory") throw new FileError(node.kind === "file" ? "EISDIR" : "EEXIST", to);
    if (present && node.kind === "directory") throw new FileError("ENOTDIR", to);
    const moved = [source, ...this.#below(source)].map((path) => [path, this.#nodes.get(path)] as const);
    for (const [path, entry] of moved) if (entry) this.#set(target + path.slice(source.length), entry, this);
    for (const [path] of moved.reverse()) this.#delete(path, this);
  }

  /** The names in a directory, in order. */
  list(path: string): string[] {
    const absolute = this.resolve(path);
    if (this.#get(path).kind !== "directory") throw new FileError("ENOTDIR", path);
    const prefix = absolute === "/" ? "/" : absolute + "/";
    const names: string[] = [];
    for (const name of this.#nodes.keys()) {
      if (name !== "/" && name.startsWith(prefix) && !name.slice(prefix.length).includes("/")) {
        names.push(name.slice(prefix.length));
      }
    }
    return names.sort();
  }

  /** Everything there is, directories before what they hold. */
  snapshot(): Change[] {
    return [...this.#nodes.keys()].sort().map((path) => this.#change(path));
  }

  /**
   * Takes over changes made elsewhere. Listeners hear of them with their origin,
   * so that whoever sent them can leave them alone.
   */
  apply(changes: Iterable<Change>, origin: unknown): void {
    for (const change of changes) {
      if (change.kind === "absent") {
        for (const name of this.#below(change.path).reverse()) this.#delete(name, origin);
        if (this.#nodes.has(change.path)) this.#delete(change.path, origin);
      } else {
        const { path, ...node } = change;
        const parent = directoryOf(path);
        if (path !== "/" && !this.#nodes.has(parent)) this.makeDirectory(parent, true);
        this.#set(path, node, origin);
      }
    }
  }

  /** Calls the listener after every change, until the returned function is called. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #get(path: string): Node {
    const absolute = this.resolve(path);
    const node = this.#nodes.get(absolute);
    if (node) return node;
    const parent = this.#nodes.get(directoryOf(absolute));
    throw new FileError(parent?.kind === "file" ? "ENOTDIR" : "ENOENT", path);
  }

  #requireParent(absolute: string, path: string): void {
    const parent = this.#nodes.get(directoryOf(absolute));
    if (!parent) throw new FileError("ENOENT", path);
    if (parent.kind !== "directory") throw new FileError("ENOTDIR", path);
  }

  /** All paths below a directory, in order. */
  #below(absolute: string): string[] {
    const prefix = absolute === "/" ? "/" : absolute + "/";
    return [...this.#nodes.keys()].filter((name) => name !== "/" && name.startsWith(prefix)).sort();
  }

  #change(path: string): Change {
    const node = this.#nodes.get(path);
    return node ? { path, ...node } : { path, kind: "absent" };
  }

  #set(absolute: string, node: Node, origin: unknown): void {
    this.#nodes.set(absolute, node);
    this.#tell(absolute, origin);
  }

  #delete(absolute: string, origin: unknown): void {
    this.#nodes.delete(absolute);
    this.#tell(absolute, origin);
  }

  #tell(absolute: string, origin: unknown): void {
    const change = this.#change(absolute);
    for (const listener of this.#listeners) listener(change, origin);
  }
}

/** The directory that holds an absolute path. */
export function directoryOf(absolute: string): string {
  const slash = absolute.lastIndexOf("/");
  return slash <= 0 ? "/" : absolute.slice(0, slash);
}

/** The last part of a path. */
export function baseOf(path: string): string {
  return path.slice(path.replace(/\/+$/, "").lastIndexOf("/") + 1).replace(/\/+$/, "");
}

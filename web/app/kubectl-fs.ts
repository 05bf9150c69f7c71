/**
 * The file system that a Go program compiled to WebAssembly sees: the part of
 * Node's `fs` that Go's syscall package calls, over the page's files.
 */
import { FileError, FileSystem, type FileErrorCode, type Stat } from "./vfs.js";

type Callback<T = void> = (error: (Error & { code?: string }) | null, result?: T) => void;

export interface StandardStreams {
  /** The next bytes of standard input, or null at its end. */
  read(): Promise<Uint8Array | null>;
  write(stream: 1 | 2, data: Uint8Array): void;
}

interface OpenFile {
  path: string;
  position: number;
  append: boolean;
}

const O_WRONLY = 0o1;
const O_RDWR = 0o2;
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_TRUNC = 0o1000;
const O_APPEND = 0o2000;
const O_DIRECTORY = 0o200000;

const S_IFDIR = 0o40000;
const S_IFREG = 0o100000;

/** Returns globalThis.fs for wasm_exec.js. */
export function goFileSystem(files: FileSystem, streams: StandardStreams): object {
  const open = new Map<number, OpenFile>();
  let lastDescriptor = 100; // clear of the standard streams
  let leftover: Uint8Array = new Uint8Array(); // read from standard input, not yet taken

  const descriptor = (fd: number): OpenFile => {
    const file = open.get(fd);
    if (!file) throw new FileError("EBADF", String(fd));
    return file;
  };

  /** Calls back, not before the caller has returned, with what f returns or throws. */
  const answer = <T>(callback: Callback<T>, f: () => T): void => {
    let error: Error | null = null;
    let result: T | undefined;
    try {
      result = f();
    } catch (thrown) {
      error = thrown instanceof Error ? thrown : new Error(String(thrown));
    }
    queueMicrotask(() => (error ? callback(error) : callback(null, result)));
  };
  const succeed = (callback: Callback): void => answer(callback, () => undefined);
  const fail = (callback: Callback<never>, code: FileErrorCode, path: string): void =>
    answer(callback, () => {
      throw new FileError(code, path);
    });

  const readStandardInput = async (buffer: Uint8Array): Promise<number> => {
    if (leftover.length === 0) leftover = (await streams.read()) ?? new Uint8Array();
    const taken = leftover.subarray(0, buffer.length);
    buffer.set(taken);
    leftover = leftover.subarray(taken.length);
    return taken.length;
  };

  const writeAt = (file: OpenFile, data: Uint8Array, position: number): number => {
    const before = files.read(file.path);
    const after = new Uint8Array(Math.max(before.length, position + data.length));
    after.set(before);
    after.set(data, position);
    files.write(file.path, after);
    return data.length;
  };

  const truncate = (path: string, length: number): void => {
    const after = new Uint8Array(length);
    after.set(files.read(path).subarray(0, length));
    files.write(path, after);
  };

  return {
    constants: { O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND, O_EXCL, O_DIRECTORY },

    /** The Go runtime's own messages, such as a panic's. */
    writeSync(fd: number, data: Uint8Array): number {
      streams.write(fd === 1 ? 1 : 2, data.slice());
      return data.length;
    },
    write(fd: number, buffer: Uint8Array, offset: number, length: number, position: number | null, callback: Callback<number>) {
      const data = buffer.slice(offset, offset + length);
      answer(callback, () => {
        if (fd === 1 || fd === 2) {
          streams.write(fd, data);
          return data.length;
        }
        const file = descriptor(fd);
        if (position !== null) return writeAt(file, data, position);
        const at = file.append ? files.stat(file.path).size : file.position;
        file.position = at + data.length;
        return writeAt(file, data, at);
      });
    },
    read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number | null, callback: Callback<number>) {
      const target = buffer.subarray(offset, offset + length);
      if (fd === 0) {
        readStandardInput(target).then(
          (n) => callback(null, n),
          (error: Error) => callback(error),
        );
        return;
      }
      answer(callback, () => {
        const file = descriptor(fd);
        const at = position ?? file.position;
        const data = files.read(file.path).subarray(at, at + length);
        target.set(data);
        if (position === null) file.position += data.length;
        return data.length;
      });
    },
    open(path: string, flags: number, _mode: number, callback: Callback<number>) {
      answer(callback, () => {
        const present = files.exists(path);
        if (present && flags & O_CREAT && flags & O_EXCL) throw new FileError("EEXIST", path);
        if (!present && !(flags & O_CREAT)) files.stat(path); // throws what is wrong with it
        if (flags & (O_WRONLY | O_RDWR) && files.isDirectory(path)) throw new FileError("EISDIR", path);
        if (flags & O_DIRECTORY && !files.isDirectory(path)) throw new FileError("ENOTDIR", path);
        if (!present || flags & O_TRUNC) files.write(path, new Uint8Array());
        open.set(++lastDescriptor, { path: files.resolve(path), position: 0, append: (flags & O_APPEND) !== 0 });
        return lastDescriptor;
      });
    },
    close(fd: number, callback: Callback) {
      answer(callback, () => void open.delete(fd));
    },
    stat: (path: string, callback: Callback<object>) => answer(callback, () => goStat(files.stat(path))),
    lstat: (path: string, callback: Callback<object>) => answer(callback, () => goStat(files.stat(path))),
    fstat(fd: number, callback: Callback<object>) {
      answer(callback, () => goStat(fd <= 2 ? { kind: "file", size: 0, modified: 0 } : files.stat(descriptor(fd).path)));
    },
    readdir: (path: string, callback: Callback<string[]>) => answer(callback, () => files.list(path)),
    mkdir: (path: string, _mode: number, callback: Callback) => answer(callback, () => files.makeDirectory(path)),
    unlink(path: string, callback: Callback) {
      answer(callback, () => {
        if (files.isDirectory(path)) throw new FileError("EISDIR", path);
        files.remove(path);
      });
    },
    rmdir(path: string, callback: Callback) {
      answer(callback, () => {
        if (files.stat(path).kind !== "directory") throw new FileError("ENOTDIR", path);
        files.remove(path);
      });
    },
    rename: (from: string, to: string, callback: Callback) => answer(callback, () => files.rename(from, to)),
    truncate: (path: string, length: number, callback: Callback) => answer(callback, () => truncate(path, length)),
    ftruncate: (fd: number, length: number, callback: Callback) =>
      answer(callback, () => truncate(descriptor(fd).path, length)),
    // Files here have no permissions, owners, times to set or links.
    chmod: (_path: string, _mode: number, callback: Callback) => succeed(callback),
    fchmod: (_fd: number, _mode: number, callback: Callback) => succeed(callback),
    chown: (_path: string, _uid: number, _gid: number, callback: Callback) => succeed(callback),
    fchown: (_fd: number, _uid: number, _gid: number, callback: Callback) => succeed(callback),
    lchown: (_path: string, _uid: number, _gid: number, callback: Callback) => succeed(callback),
    utimes: (_path: string, _atime: number, _mtime: number, callback: Callback) => succeed(callback),
    fsync: (_fd: number, callback: Callback) => succeed(callback),
    link: (path: string, _link: string, callback: Callback<never>) => fail(callback, "EINVAL", path),
    symlink: (path: string, _link: string, callback: Callback<never>) => fail(callback, "EINVAL", path),
    readlink: (path: string, callback: Callback<never>) => fail(callback, "EINVAL", path),
  };
}

function goStat(stat: Stat): object {
  const directory = stat.kind === "directory";
  return {
    dev: 0,
    ino: 0,
    mode: directory ? S_IFDIR | 0o755 : S_IFREG | 0o644,
    nlink: 1,
    uid: 0,
    gid: 0,
    rdev: 0,
    size: stat.size,
    blksize: 4096,
    blocks: Math.ceil(stat.size / 512),
    atimeMs: stat.modified,
    mtimeMs: stat.modified,
    ctimeMs: stat.modified,
    isDirectory: () => directory,
  };
}

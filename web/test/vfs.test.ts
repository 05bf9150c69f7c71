import assert from "node:assert/strict";
import { test } from "node:test";
import { FileError, FileSystem, type Change, type FileErrorCode } from "../app/vfs.js";

function files(): FileSystem {
  let time = 0;
  return new FileSystem({ now: () => ++time });
}

test("paths resolve against the current and the home directory", () => {
  const fs = files();
  for (const [path, want] of [
    ["a", "/home/learner/a"],
    ["./a/../b/", "/home/learner/b"],
    ["/a//b", "/a/b"],
    ["../../..", "/"],
    ["~", "/home/learner"],
    ["~/x", "/home/learner/x"],
    ["~x", "/home/learner/~x"],
  ] as const) {
    assert.equal(fs.resolve(path), want, path);
  }
});

test("files are written, read, appended to, listed, renamed and removed", () => {
  const fs = files();
  fs.write("a.yaml", "a");
  fs.append("a.yaml", "b");
  fs.makeDirectory("d/e", true);
  fs.write("d/e/f", "f");
  assert.equal(fs.readText("a.yaml"), "ab");
  assert.deepEqual(fs.list("."), ["a.yaml", "d"]);
  fs.rename("d", "g");
  assert.equal(fs.readText("g/e/f"), "f");
  assert.equal(fs.exists("d"), false);
  fs.rename("a.yaml", "g/a.yaml");
  fs.remove("g", true);
  assert.deepEqual(fs.list("."), []);
});

test("what cannot be done is refused by its POSIX name", () => {
  const cases: [FileErrorCode, (fs: FileSystem) => void][] = [
    ["ENOENT", (fs) => fs.read("missing")],
    ["ENOENT", (fs) => fs.write("missing/a", "")],
    ["ENOTDIR", (fs) => fs.write("file/a", "")],
    ["ENOTDIR", (fs) => fs.read("file/a")],
    ["ENOTDIR", (fs) => fs.list("file")],
    ["EISDIR", (fs) => fs.read("directory")],
    ["EISDIR", (fs) => fs.write("directory", "")],
    ["EISDIR", (fs) => fs.rename("file", "directory")],
    ["EEXIST", (fs) => fs.makeDirectory("directory")],
    ["EEXIST", (fs) => fs.makeDirectory("file", true)],
    ["ENOTEMPTY", (fs) => fs.remove("directory")],
    ["EINVAL", (fs) => fs.rename("directory", "directory/inner")],
    ["EINVAL", (fs) => fs.remove("/")],
  ];
  for (const [code, act] of cases) {
    const fs = files();
    fs.write("file", "");
    fs.makeDirectory("directory");
    fs.write("directory/inside", "");
    assert.throws(() => act(fs), (error: unknown) => error instanceof FileError && error.code === code, `${code}: ${act}`);
  }
});

test("removing the current directory leaves one that exists", () => {
  const fs = files();
  fs.makeDirectory("d");
  fs.cwd = fs.resolve("d");
  fs.remove("../d", true);
  assert.equal(fs.cwd, fs.home);
});

test("another file system follows the changes, and hears whose they are", () => {
  const page = files();
  page.write("before", "1");
  const worker = files();
  worker.apply(page.snapshot(), "page");
  const heard: unknown[] = [];
  worker.subscribe((change, origin) => heard.push([change.path, change.kind, origin]));
  const unsubscribe = page.subscribe((change: Change) => worker.apply([change], "page"));
  page.write("after", "2");
  page.makeDirectory("d");
  page.write("d/x", "3");
  page.remove("d", true);
  page.rename("before", "moved");
  unsubscribe();
  page.write("later", "4");
  assert.deepEqual(worker.list("."), ["after", "moved"]);
  assert.equal(worker.readText("moved"), "1");
  assert.deepEqual(heard[0], ["/home/learner/after", "file", "page"]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { interrupted, type Completions, type RunOptions } from "../app/kubectl.js";
import { Shell, type Suggestions } from "../app/shell.js";
import { FileSystem } from "../app/vfs.js";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (data: Uint8Array | null): string => new TextDecoder().decode(data ?? new Uint8Array());

/** A kubectl that tells what it was given, until it is asked to go on forever. */
const kubectl = {
  async run(args: string[], options: RunOptions): Promise<number> {
    if (args[0] === "fail") {
      options.stderr(encode("error: no\n"));
      return 3;
    }
    if (args[0] === "watch") {
      for (let i = 0; !options.signal?.aborted; i++) {
        options.stdout(encode(`line ${i}\n`));
        await new Promise((resolve) => setImmediate(resolve));
      }
      return interrupted;
    }
    if (args.includes("-")) options.stdout(encode(`stdin: ${decode((await options.stdin?.read()) ?? null)}`));
    else options.stdout(encode(`kubectl ${JSON.stringify(args)}\n`));
    return 0;
  },
  async complete(words: string[]): Promise<Completions> {
    const none = { values: [], noSpace: false, files: false, extensions: [] };
    if (words.at(-2) === "-f") return { ...none, files: true, extensions: ["yaml", "json"] };
    return { ...none, values: [{ value: `completed:${words.join(",")}`, description: "a thing" }] };
  },
};

function newShell(): Shell {
  const files = new FileSystem();
  files.write("a.yaml", "kind: Pod\n");
  files.write("b.yaml", "kind: Service\n");
  files.write("notes with spaces.txt", "one\ntwo\nthree\n");
  return new Shell({ files, kubectl });
}

async function run(source: string, shell = newShell(), stdin: string[] = []): Promise<{ code: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const code = await shell.run(source, {
    stdin: { read: async () => (stdin.length > 0 ? encode(stdin.shift()!) : null) },
    stdout: (data) => (out += decode(data)),
    stderr: (data) => (err += decode(data)),
    signal: new AbortController().signal,
  });
  return { code, out, err };
}

test("command lines", async (t) => {
  const cases: [string, string, number?][] = [
    ["echo a  b", "a b\n"],
    [`echo 'a  b' "c  d" e\\ \\ f`, "a  b c  d e  f\n"],
    [`echo "\\$HOME \\"x\\"" '$HOME' $HOME`, `$HOME "x" $HOME /home/learner\n`],
    ["echo a # b", "a\n"],
    ["echo a#b", "a#b\n"],
    ["echo a; echo b", "a\nb\n"],
    ["false && echo no; echo $?", "1\n"],
    ["false || echo yes", "yes\n"],
    ["true || echo no", "", 0],
    ["x=1 y='2 3'; echo $x ${y}4 \"$y\"", "1 2 34 2 3\n"],
    ["echo $missing end", "end\n"],
    ["echo \"$missing\" end", " end\n"],
    ["echo $(echo a b) \"$(echo c)\"", "a b c\n"],
    ["echo $(echo ')')", ")\n"],
    ["kubectl get pods -o 'jsonpath={.items[*].metadata.name}'", `kubectl ["get","pods","-o","jsonpath={.items[*].metadata.name}"]\n`],
    ["k get nodes", `kubectl ["get","nodes"]\n`],
    ["kubectl fail; echo $?", "3\n"],
    ["cat a.yaml | kubectl apply -f -", "stdin: kind: Pod\n"],
    ["kubectl apply -f - < b.yaml", "stdin: kind: Service\n"],
    ["kubectl apply -f - <<EOF\na: $x\nb: \"q\"\nEOF", `stdin: a: \nb: "q"\n`],
    ["cat <<'EOF' | wc -l\n$x\n'\nEOF", "2\n"],
    ["cat <<< hello", "hello\n"],
    ["echo one > f; echo two >> f; cat f", "one\ntwo\n"],
    ["kubectl fail 2> f || cat f", "error: no\n"],
    ["kubectl fail > f 2>&1; cat f", "error: no\n"],
    ["kubectl fail 2>/dev/null; echo quiet", "quiet\n"],
    ["cat *.yaml", "kind: Pod\nkind: Service\n"],
    ["echo [ab].yaml '*.yaml' x*", "a.yaml b.yaml *.yaml x*\n"],
    ["ls", "a.yaml\nb.yaml\nnotes with spaces.txt\n"],
    ["mkdir d && cd d && pwd && cp ../a.yaml . && mv a.yaml c && ls && cd && rm -r d && ls d || echo gone", "/home/learner/d\nc\ngone\n"],
    ["cat notes*  | grep -v two | sort -r", "three\none\n"],
    ["grep -c o 'notes with spaces.txt'", "2\n"],
    ["grep -n t notes*", "2:two\n3:three\n"],
    ["grep -q nothing notes*", "", 1],
    ["grep -E 'one|two' notes*", "one\ntwo\n"],
    ["grep 'a|b' notes*", "", 1],
    ["grep -A1 one notes*", "one\ntwo\n"],
    ["head -n 1 notes*; tail -1 notes*", "one\nthree\n"],
    ["echo b; echo a | tee f | cat; cat f", "b\na\na\n"],
    ["cat notes* notes* | sort | uniq -c | head -1", "      2 one\n"],
    ["wc notes*", "      3       3      14 notes with spaces.txt\n"],
    ["kubectl watch | head -2", "line 0\nline 1\n"],
    ["echo a \\\n b", "a b\n"],
  ];
  for (const [source, want, code = 0] of cases) {
    await t.test(source, async () => {
      const got = await run(source);
      assert.deepEqual([got.out, got.code], [want, code], got.err);
    });
  }
});

test("mistakes are explained", async (t) => {
  const cases: [string, string, number][] = [
    ["helm install x", "helm: command not found. This shell knows kubectl and a few small commands: type help to see them.\n", 127],
    ["toString", "toString: command not found. This shell knows kubectl and a few small commands: type help to see them.\n", 127],
    ["cat missing", "cat: missing: No such file or directory\n", 1],
    ["cd a.yaml", "cd: a.yaml: Not a directory\n", 1],
    ["echo x > missing/f", "echo: missing/f: No such file or directory\n", 1],
    ["rm", "rm: name a file\n", 1],
    ["grep -z x", "grep: unknown option -z\n", 2],
    ["grep '[' a.yaml", 'grep: "[" is not a regular expression\n', 2],
    ["sleep 5 &", "this shell runs nothing in the background: leave out the &\n", 2],
    ["| cat", 'syntax error near "|"\n', 2],
    ["echo a && && b", 'syntax error near "&&"\n', 2],
    ["(echo a)", "this shell has no subshells: quote the (\n", 2],
    ["echo 'a", "unexpected end: ' is not closed\n", 2],
  ];
  for (const [source, want, code] of cases) {
    await t.test(source, async () => {
      const got = await run(source);
      assert.deepEqual([got.err, got.code], [want, code]);
    });
  }
});

test("an unfinished source needs more lines", () => {
  const shell = newShell();
  for (const source of ["echo 'a", 'echo "a', "echo a |", "echo a &&", "cat <<EOF\na", "echo \\", "echo $(echo"]) {
    assert.equal(shell.needsMore(source), true, source);
  }
  for (const source of ["", "echo a", "echo a;", "cat <<EOF\na\nEOF", "| x"]) assert.equal(shell.needsMore(source), false, source);
});

test("an interruption ends a command and what follows it", async () => {
  const shell = newShell();
  const aborter = new AbortController();
  let out = "";
  const code = await shell.run("kubectl watch; echo after", {
    stdin: { read: async () => null },
    stdout: (data) => {
      out += decode(data);
      aborter.abort();
    },
    stderr: () => undefined,
    signal: aborter.signal,
  });
  assert.equal(code, interrupted);
  assert.equal(out, "line 0\n");
});

test("a variable and the last code stay from one line to the next", async () => {
  const shell = newShell();
  await run("x=1; false", shell);
  assert.equal((await run("echo $? $x", shell)).out, "1 1\n");
});

test("completion", async (t) => {
  const cases: [string, Suggestions["values"][0]["value"][], number, string?][] = [
    ["kube", ["kubectl"], 0, " "],
    ["cat a", ["a.yaml"], 4, " "],
    ["cat n", ["'notes with spaces.txt'"], 4, " "],
    ["cat /ho", ["/home/"], 4, ""],
    ["echo x > b", ["b.yaml"], 9, " "],
    ["true && cat b", ["b.yaml"], 12, " "],
    ["kubectl get po", ["completed:get,po"], 12, " "],
    ["kubectl get ", ["completed:get,"], 12, " "],
    ["cat x | k get", ["completed:get"], 10, " "],
    ["kubectl get --output=js", ["completed:get,--output=js"], 21, " "],
    ["kubectl apply -f ", ["a.yaml", "b.yaml"], 17, ""],
    ["kubectl apply -f a", ["a.yaml"], 17, " "],
  ];
  for (const [text, want, start, suffix] of cases) {
    await t.test(text, async () => {
      const got = await newShell().complete(text);
      // The stand-in's answers hold characters that are quoted.
      assert.deepEqual(got.values.map((v) => v.value.replace(/^'(completed.*)'$/, "$1")), want);
      assert.equal(got.start, start);
      assert.equal(got.suffix, suffix);
    });
  }
});

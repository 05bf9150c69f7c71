/** The page of the browser test: kubectl and a shell, without a terminal. */
import { overWebSockets } from "../../../web/app/channel.js";
import { serveFetch } from "../../../web/app/engine-fetch.js";
import { Kubectl } from "../../../web/app/kubectl.js";
import { FileSystem } from "../../../web/app/vfs.js";

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
  milliseconds: number;
}

let onRequest: (url: string) => void = () => undefined;

const dial = overWebSockets((url) => new URL(url, location.href), "", fetch.bind(globalThis));

const files = new FileSystem();
const kubectl = new Kubectl({
  startWorker: () => new Worker("/kubectl-worker.js", { type: "module" }),
  wasm: "/wasm/kubectl.wasm",
  runtime: "/wasm/wasm_exec.js",
  files,
  connect: () => {
    const { port1, port2 } = new MessageChannel();
    serveFetch(port1, (input, init) => {
      const headers = new Headers(init?.headers);
      const agent = headers.get("User-Agent"); // which browsers replace
      if (agent) headers.set("Tidepool-User-Agent", agent);
      const response = fetch(input as string, { ...init, headers });
      onRequest(String(input));
      return response;
    }, (url, headers, on) => {
      onRequest(url);
      return dial(url, headers, on);
    });
    return port2;
  },
});

function decode(chunks: Uint8Array[]): string {
  const decoder = new TextDecoder();
  return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("");
}

/** Runs a command line; interrupts it once its output or a request's URL contains a text. */
async function run(args: string[], stdin = "", interruptAt = ""): Promise<Outcome> {
  const began = performance.now();
  const stdout: Uint8Array[] = [];
  const stderr: Uint8Array[] = [];
  const aborter = new AbortController();
  onRequest = (url) => void (interruptAt && url.includes(interruptAt) && setTimeout(() => aborter.abort(), 20));
  let input: Uint8Array | null = new TextEncoder().encode(stdin);
  const code = await kubectl.run(args, {
    stdin: {
      read: async () => {
        const data = input;
        input = null;
        return data;
      },
    },
    stdout: (data) => {
      stdout.push(data);
      if (interruptAt && decode(stdout).includes(interruptAt)) aborter.abort();
    },
    stderr: (data) => stderr.push(data),
    edit: async (path) => files.write(path, files.readText(path).replace("replicas: 3", "replicas: 4")),
    signal: aborter.signal,
  });
  return { code, stdout: decode(stdout), stderr: decode(stderr), milliseconds: performance.now() - began };
}

Object.assign(globalThis, {
  load: async () => {
    const began = performance.now();
    await kubectl.load();
    return performance.now() - began;
  },
  run,
  complete: async (words: string[]) => (await kubectl.complete(words)).values.map((v) => v.value),
  write: (path: string, text: string) => files.write(path, text),
  read: (path: string) => files.readText(path),
});

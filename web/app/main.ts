/**
 * The page's start. The cluster comes first: its worker starts before anything
 * else is drawn. Terminal, editor and kubectl follow once the map shows it.
 */
import { readToken, ServerCluster, TabCluster, type Cluster, type Handlers } from "./cluster.js";
import { asset, readConfig } from "./config.js";
import { announce, byId } from "./dom.js";
import { Inspector } from "./inspector.js";
import { Lesson } from "./lesson.js";
import { ClusterList } from "./list.js";
import { ClusterMap } from "./map.js";
import { Model } from "./model.js";
import { Selection } from "./selection.js";
import { FileSystem } from "./vfs.js";

const config = readConfig();
const token = readToken();
const model = new Model();
const selection = new Selection(model);
const files = new FileSystem();
for (const [name, content] of Object.entries(config.files)) files.write(name, content);

const handlers: Handlers = {
  frame(frame) {
    model.apply(frame);
    lesson.apply(frame);
    if (frame.type === "error") announce(frame.message);
  },
  state(state, text) {
    const element = byId("cluster-state");
    element.querySelector(".dot")?.setAttribute("data-state", state);
    const label = element.querySelector(".text");
    if (label) label.textContent = text;
    if (state === "failed") announce(text);
  },
};

let drawn: () => void;
const firstDrawing = new Promise<void>((resolve) => (drawn = resolve));

const lesson = new Lesson((commands) => void run(commands));
let cluster: Cluster = openTab();
lesson.follow(cluster);

new ClusterMap(byId("map"), model, selection, () => {
  if (model.nodes.length === 0) return;
  performance.mark("tidepool-cluster-shown");
  drawn();
});
const list = new ClusterList(byId("list"), model, selection);
new Inspector(byId("inspector"), model, selection, () => cluster);

function openTab(): Cluster {
  const parameters = new URLSearchParams(location.search);
  const number = (name: string, fallback: number) => Number(parameters.get(name) ?? fallback) || fallback;
  return new TabCluster(config, handlers, { seed: number("seed", Math.floor(Math.random() * 2 ** 31)), nodes: number("nodes", 3), speed: number("speed", 1) });
}

// Map or list.
for (const [button, other, map] of [
  [byId("show-map"), byId("show-list"), true],
  [byId("show-list"), byId("show-map"), false],
] as const) {
  button.addEventListener("click", () => {
    button.setAttribute("aria-pressed", "true");
    other.setAttribute("aria-pressed", "false");
    byId("map").hidden = !map;
    list.show(!map);
  });
}

// This tab or this server.
const where = byId("where");
where.hidden = !config.server;
where.addEventListener("change", (event) => {
  const input = event.target as HTMLInputElement;
  if (input.value === "server" && !token) {
    handlers.state("failed", "Open the address that the server printed: it ends in #token=…");
    (where.querySelector("[value=tab]") as HTMLInputElement).checked = true;
    return;
  }
  cluster.close();
  model.clear();
  selection.select(undefined);
  cluster = input.value === "server" && token ? new ServerCluster(token, handlers) : openTab();
  lesson.follow(cluster);
  void consoles.then(({ kubectl }) => kubectl.reconnect());
});

// Terminal and editor, once the cluster can be seen.
const consoles = firstDrawing.then(async () => {
  const [{ TerminalView }, { Editor }, { Kubectl }] = await Promise.all([import("./terminal.js"), import("./editor.js"), import("./kubectl.js")]);
  const kubectl = new Kubectl({
    startWorker: () => new Worker(asset(config, "kubectl-worker.js"), { type: "module", name: "kubectl" }),
    wasm: asset(config, "kubectl.wasm"),
    runtime: asset(config, "wasm_exec.js"),
    connect: () => cluster.connect(),
    files,
    onProgress: showProgress,
  });
  kubectl.load().then(
    () => showProgress(1, 1),
    (error: unknown) => (byId("console-hint").textContent = error instanceof Error ? error.message : String(error)),
  );
  const editor = new Editor(byId("editor"), files, (path) => {
    show("terminal");
    void terminal.run(`kubectl apply -f ${path.startsWith(files.home + "/") ? path.slice(files.home.length + 1) : path}`);
  });
  const terminal = new TerminalView(byId("terminal"), files, kubectl, (path) => edit(editor, path));
  return { terminal, editor, kubectl };
});

/** Opens a file for `kubectl edit`, until the editor is left. */
function edit(editor: InstanceType<(typeof import("./editor.js"))["Editor"]>, path: string): Promise<void> {
  show("editor");
  editor.open(path);
  return new Promise((resolve) => {
    const tab = byId("tab-terminal");
    tab.addEventListener(
      "click",
      () => {
        editor.save();
        resolve();
      },
      { once: true },
    );
    announce("Edit, then return to the terminal to send it.");
  });
}

const hint = byId("console-hint").textContent;

function showProgress(loaded: number, total: number): void {
  const text = total > 0 && loaded < total ? `Loading kubectl… ${Math.round((100 * loaded) / total)} %` : loaded < total || total === 0 ? "Loading kubectl…" : hint;
  byId("console-hint").textContent = text;
}

async function run(commands: string): Promise<void> {
  show("terminal");
  const { terminal } = await consoles;
  for (const line of commands.split("\n")) if (line.trim() !== "") await terminal.run(line);
}

const tabs = ["terminal", "editor"] as const;

function show(name: (typeof tabs)[number]): void {
  for (const tab of tabs) {
    const selected = tab === name;
    byId(`tab-${tab}`).setAttribute("aria-selected", String(selected));
    byId(`tab-${tab}`).tabIndex = selected ? 0 : -1;
    byId(tab).hidden = !selected;
  }
  void consoles.then((c) => c[name].focus());
}

for (const [i, tab] of tabs.entries()) {
  const button = byId(`tab-${tab}`);
  button.addEventListener("click", () => show(tab));
  button.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
    const next = byId(`tab-${tabs[1 - i] ?? tab}`);
    next.click();
    next.focus();
  });
}

// For tests and benchmarks: the page's own connection, nothing more than a page has anyway.
Object.assign(globalThis, { tidepoolPage: { model, cluster: () => cluster } });

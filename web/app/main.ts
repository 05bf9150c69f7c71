/**
 * The page's start. The cluster comes first: boot.ts has started its worker
 * before this script. The terminal is built while the engine loads; the lesson,
 * kubectl and the editor follow once the map shows the cluster.
 */
import { readToken, ServerCluster, TabCluster, type Cluster, type Handlers } from "./cluster.js";
import { readConfig } from "./config.js";
import { Console } from "./console.js";
import { announce, byId } from "./dom.js";
import { Inspector } from "./inspector.js";
import { Lesson } from "./lesson.js";
import { ClusterList } from "./list.js";
import { ClusterMap } from "./map.js";
import { Model } from "./model.js";
import { idle, pause } from "./pause.js";
import { Selection } from "./selection.js";
import { FileSystem } from "./vfs.js";

const config = readConfig();
const token = readToken();
const model = new Model();
const selection = new Selection(model);

const files = new FileSystem();
for (const [name, content] of Object.entries(config.files)) files.write(name, content);

let drawn: () => void;
const firstDrawing = new Promise<void>((resolve) => (drawn = resolve));
void firstDrawing.then(() => performance.mark("tidepool-cluster-shown"));

const lesson = new Lesson((commands) => void parts.then(({ terminals }) => terminals.run(commands)));

const handlers: Handlers = {
  frame(frame) {
    void parts.then(() => {
      model.apply(frame);
      lesson.apply(frame);
      if (frame.type === "error") announce(frame.message);
    });
  },
  state(state, text) {
    const element = byId("cluster-state");
    element.querySelector(".dot")?.setAttribute("data-state", state);
    const label = element.querySelector(".text");
    if (label) label.textContent = text;
    if (state === "failed") announce(text);
  },
  resumed: () => lesson.resume(cluster),
};

let cluster = openTab();
void firstDrawing.then(() => idle()).then(() => lesson.follow(cluster));
const parts = build();

// For tests and benchmarks: the page's own connection, nothing more than a page has anyway.
Object.assign(globalThis, { tidepoolPage: { model, selection, files, cluster: () => cluster } });

/** Builds what shows the cluster, in pieces, so that the page answers while it does. */
async function build(): Promise<{ list: ClusterList; terminals: Console }> {
  await pause();
  new ClusterMap(byId("map"), model, selection, () => model.nodes.length > 0 && drawn());
  await pause();
  const list = new ClusterList(byId("list"), model, selection);
  new Inspector(byId("inspector"), model, selection, () => cluster);
  await pause();
  return { list, terminals: new Console({ config, files, connect: () => cluster.connect(), after: firstDrawing }) };
}

/** Starts a cluster in this tab; the address may say which: ?seed=1&nodes=100&speed=10. */
function openTab(): Cluster {
  const parameters = new URLSearchParams(location.search);
  const number = (name: string, fallback: number) => Number(parameters.get(name) ?? fallback) || fallback;
  const options = { seed: number("seed", Math.floor(Math.random() * 2 ** 31)), nodes: number("nodes", 3), speed: number("speed", 1) };
  model.speed = options.speed;
  return new TabCluster(config, handlers, options);
}

function openServer(token: string): Cluster {
  model.speed = 1;
  return new ServerCluster(token, handlers);
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
    void parts.then(({ list }) => list.show(!map));
  });
}

// This tab or this server.
const where = byId("where");
where.hidden = !config.server;
where.addEventListener("change", (event) => {
  const chosen = (event.target as HTMLInputElement).value;
  if (chosen === "server" && !token) {
    handlers.state("failed", "Open the address that the server printed: it ends in #token=…");
    (where.querySelector("[value=tab]") as HTMLInputElement).checked = true;
    return;
  }
  cluster.close();
  selection.select(undefined);
  model.clear();
  cluster = chosen === "server" && token ? openServer(token) : openTab();
  lesson.follow(cluster);
  void parts.then(({ terminals }) => terminals.reconnect());
});

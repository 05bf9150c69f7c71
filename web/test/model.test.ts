import assert from "node:assert/strict";
import { test } from "node:test";
import { Model, type Changes } from "../app/model.js";
import type { Frame, Record_ } from "../app/records.js";
import { Selection } from "../app/selection.js";
import { event, node, pod, running, workload } from "./records.js";

const time = "2026-01-01T00:00:10Z";
const snapshot = (...set: Record_[]): Frame => ({ type: "snapshot", revision: 1, time, set });
const delta = (set: Record_[], ...gone: string[]): Frame => ({ type: "delta", revision: 2, time, set, delete: gone });

test("a snapshot replaces everything, and nodes are in the order of their numbers", () => {
  const model = new Model();
  model.apply(snapshot(pod("old")));
  model.apply(snapshot(node("node-10"), node("node-9"), running("a", "node-9")));
  assert.deepEqual(model.nodes.map((n) => n.name), ["node-9", "node-10"]);
  assert.deepEqual([...model.pods.keys()], ["uid-a"]);
  assert.equal(model.get("uid-old"), undefined);
});

test("a delta changes and deletes, and tells what it did", () => {
  const model = new Model();
  model.apply(snapshot(node("node-1"), pod("a"), pod("b")));
  const heard: Changes[] = [];
  model.subscribe((changes) => heard.push(changes));
  const moved = running("a", "node-1");
  model.apply(delta([moved], "uid-b", "uid-unknown"));
  assert.deepEqual(heard.map(({ all, set, deleted }) => ({ all, set: set.map((r) => r.name), deleted: deleted.map((r) => r.name) })), [{ all: false, set: ["a"], deleted: ["b"] }]);
  assert.deepEqual([...model.pods.values()], [moved]);
  assert.equal(model.revision, 2);
});

test("usage follows pods as they come, change, end and go", () => {
  const model = new Model();
  const usage = () => model.usage("node-1");
  model.apply(snapshot(node("node-1"), pod("a", { cpu: 100 }), running("b", "node-1", { cpu: 200 })));
  assert.deepEqual([usage().cpu, usage().pods], [200, 1]);
  model.apply(delta([running("a", "node-1", { cpu: 100 })]));
  assert.deepEqual([usage().cpu, usage().pods], [300, 2]);
  model.apply(delta([running("a", "node-1", { cpu: 100, phase: "Succeeded", status: "Completed" })]));
  assert.deepEqual([usage().cpu, usage().pods], [200, 1]);
  model.apply(delta([], "uid-a", "uid-b"));
  assert.deepEqual(usage(), { cpu: 0, memory: 0, pods: 0 });
});

test("owners go up to the topmost, and what is owned is known", () => {
  const model = new Model();
  const set = workload("ReplicaSet", "rs", { owner: "uid-web" });
  const one = pod("a", { owner: "uid-rs" });
  model.apply(snapshot(one, set, workload("Deployment", "web")));
  assert.deepEqual(model.owners(one).map((r) => r.name), ["rs", "web"]);
  assert.deepEqual(model.owned("uid-rs").map((r) => r.name), ["a"]);
  model.apply(delta([], "uid-a"));
  assert.deepEqual(model.owned("uid-rs"), []);
});

test("events are by time, and updates replace them", () => {
  const model = new Model();
  model.apply(snapshot(pod("a"), event("late", "uid-a", "2026-01-01T00:00:09Z"), event("early", "uid-a", "2026-01-01T00:00:01Z"), event("other", "uid-b", time)));
  assert.deepEqual(model.events("uid-a").map((e) => e.name), ["early", "late"]);
  model.apply(delta([event("early", "uid-a", time, { count: 2 })], "uid-other"));
  assert.deepEqual(model.events("uid-a").map((e) => [e.name, e.count]), [["late", 1], ["early", 2]]);
  assert.deepEqual(model.events("uid-b"), []);
});

test("clearing tells listeners", () => {
  const model = new Model();
  model.apply(snapshot(node("node-1"), pod("a")));
  let all = false;
  model.subscribe((changes) => (all = changes.all));
  model.clear();
  assert.equal(all, true);
  assert.equal(model.nodes.length + model.pods.size + model.objects.size, 0);
});

test("selecting an owner marks its pods, a Service those it selects", () => {
  const model = new Model();
  const selection = new Selection(model);
  const labels = { app: "nginx" };
  model.apply(
    snapshot(
      workload("Deployment", "web"),
      workload("ReplicaSet", "rs", { owner: "uid-web" }),
      pod("a", { owner: "uid-rs", labels }),
      pod("b", { labels }),
      pod("c", { labels, namespace: "elsewhere" }),
      { kind: "Service", uid: "uid-svc", namespace: "default", name: "svc", created: time, type: "ClusterIP", selector: labels },
    ),
  );
  selection.select("uid-web");
  assert.deepEqual([...selection.related], ["uid-a"]);
  selection.select("uid-svc");
  assert.deepEqual([...selection.related], ["uid-a", "uid-b"]);
});

test("a selection ends with its object", () => {
  const model = new Model();
  const selection = new Selection(model);
  model.apply(snapshot(pod("a")));
  selection.select("uid-a");
  model.apply(delta([], "uid-a"));
  assert.equal(selection.uid, undefined);
});

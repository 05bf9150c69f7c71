import assert from "node:assert/strict";
import { test } from "node:test";
import { podState, type PodState } from "../app/records.js";
import { age, brief, inWords } from "../app/words.js";
import { node, pod, running, workload } from "./records.js";

test("ages are kubectl's", () => {
  const start = "2026-01-01T00:00:00Z";
  const minute = 60;
  const hour = 60 * minute;
  const day = 24 * hour;
  for (const [seconds, want] of [
    [-5, "0s"],
    [0, "0s"],
    [119, "119s"],
    [2 * minute, "2m"],
    [2 * minute + 5, "2m5s"],
    [10 * minute + 5, "10m"],
    [179 * minute, "179m"],
    [3 * hour, "3h"],
    [3 * hour + 5 * minute, "3h5m"],
    [8 * hour + 5 * minute, "8h"],
    [47 * hour, "47h"],
    [2 * day, "2d"],
    [2 * day + hour, "2d1h"],
    [8 * day + hour, "8d"],
    [729 * day, "729d"],
    [730 * day, "2y"],
    [731 * day, "2y1d"],
    [3000 * day, "8y"],
  ] as const) {
    assert.equal(age(start, new Date(Date.parse(start) + seconds * 1000)), want);
  }
});

test("a pod has one of five states", () => {
  const cases: [Parameters<typeof pod>[1] & object, PodState][] = [
    [{}, "pending"],
    [{ node: "node-1", status: "ContainerCreating" }, "starting"],
    [{ node: "node-1", phase: "Running", status: "Running" }, "starting"],
    [{ node: "node-1", phase: "Running", status: "Running", ready: 1 }, "ready"],
    [{ node: "node-1", phase: "Succeeded", status: "Completed" }, "ready"],
    [{ node: "node-1", phase: "Running", status: "CrashLoopBackOff" }, "failing"],
    [{ node: "node-1", status: "ImagePullBackOff" }, "failing"],
    [{ node: "node-1", status: "ErrImagePull" }, "failing"],
    [{ node: "node-1", phase: "Running", status: "Terminating", ready: 1, deleting: true }, "ending"],
  ];
  for (const [fields, want] of cases) assert.equal(podState(pod("a", fields)), want, JSON.stringify(fields));
});

test("objects say how they are", () => {
  const usage = { usage: () => ({ cpu: 0, memory: 0, pods: 1 }) };
  for (const [record, want] of [
    [pod("a"), "It waits for a node. The scheduler looks for one that has room and suits it."],
    [running("a", "node-1"), "It runs on node-1, and its container is ready."],
    [running("a", "node-1", { containers: 2 }), "It is on node-1 and starts: 1 of 2 containers ready."],
    [pod("a", { status: "Failed" }), "Something is wrong before it has a node: Failed. Its events say more."],
    [node("node-1"), "It is ready and takes new pods. 1 pod on it."],
    [node("node-1", { unschedulable: true }), "It is ready, but cordoned: no new pods come to it. 1 pod on it."],
    [workload("Deployment", "web"), "All 2 pods it wants are there and ready."],
    [workload("Deployment", "web", { desired: 1, current: 1, updated: 1, ready: 1 }), "The one pod it wants is there and ready."],
    [workload("Deployment", "web", { desired: 3, current: 4, updated: 1, ready: 3 }), "It wants 3 pods of its present template; 1 has it. 3 of all 4 are ready."],
    [workload("ReplicaSet", "rs", { desired: 0 }), "It wants no pods: it is kept as an earlier version to go back to."],
  ] as const) {
    assert.equal(inWords(record, usage), want);
  }
});

test("tooltips are brief", () => {
  assert.equal(brief(running("a", "node-1", { restarts: 1 })), "Running · 1/1 ready · 1 restart");
  assert.equal(brief(node("node-1", { status: "Ready,SchedulingDisabled" })), "Ready, SchedulingDisabled");
});

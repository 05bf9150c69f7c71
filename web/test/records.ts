/** Records for tests, as the stream would carry them. */
import type { EventRecord, NodeRecord, PodRecord, WorkloadRecord } from "../app/records.js";

const created = "2026-01-01T00:00:00Z";

export function node(name: string, fields: Partial<NodeRecord> = {}): NodeRecord {
  return { kind: "Node", uid: `uid-${name}`, name, created, ready: true, status: "Ready", cpu: 4000, memory: 8 * 2 ** 30, pods: 110, ...fields };
}

export function pod(name: string, fields: Partial<PodRecord> = {}): PodRecord {
  return { kind: "Pod", uid: `uid-${name}`, namespace: "default", name, created, phase: "Pending", status: "Pending", ready: 0, containers: 1, restarts: 0, cpu: 100, memory: 2 ** 20, ...fields };
}

export function running(name: string, on: string, fields: Partial<PodRecord> = {}): PodRecord {
  return pod(name, { node: on, phase: "Running", status: "Running", ready: 1, ...fields });
}

export function workload(kind: "Deployment" | "ReplicaSet", name: string, fields: Partial<WorkloadRecord> = {}): WorkloadRecord {
  return { kind, uid: `uid-${name}`, namespace: "default", name, created, desired: 2, current: 2, updated: 2, ready: 2, available: 2, ...fields };
}

export function event(name: string, involved: string, last: string, fields: Partial<EventRecord> = {}): EventRecord {
  return { kind: "Event", uid: `uid-${name}`, namespace: "default", name, created, type: "Normal", reason: "Started", message: "", involved, count: 1, last, source: "kubelet", ...fields };
}

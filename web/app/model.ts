/** The cluster's state as the page knows it, kept from the stream's frames. */
import type { EventRecord, Frame, NodeRecord, PodRecord, Record_ } from "./records.js";

/** What a frame changed. */
export interface Changes {
  /** Everything is new; what there was before is gone. */
  all: boolean;
  set: readonly Record_[];
  /** The objects that are gone, as they last were. */
  deleted: readonly Record_[];
}

export type Listener = (changes: Changes) => void;

/** Usage is what the pods on a node request, together. */
export interface Usage {
  cpu: number;
  memory: number;
  pods: number;
}

const none: Usage = { cpu: 0, memory: 0, pods: 0 };
const byName = new Intl.Collator("en", { numeric: true });

export class Model {
  readonly objects = new Map<string, Record_>();
  /** Nodes in the order of their names. */
  nodes: readonly NodeRecord[] = [];
  /** Pods by UID. */
  readonly pods = new Map<string, PodRecord>();
  revision = 0;
  /** How much faster than here the cluster's time passes. */
  speed = 1;
  #time = 0; // the cluster's, at the last frame
  #heard = 0; // when that was, here
  #events = new Map<string, Map<string, EventRecord>>(); // by the object that they are about
  #owned = new Map<string, Set<string>>();
  #usage = new Map<string, Usage>();
  #nodes = new Map<string, NodeRecord>();
  #listeners = new Set<Listener>();

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  apply(frame: Frame): void {
    if (frame.type !== "snapshot" && frame.type !== "delta") return;
    const all = frame.type === "snapshot";
    if (all) this.#forget();
    let nodesChanged = all;
    for (const record of frame.set) {
      this.#remove(record.uid);
      this.#add(record);
      nodesChanged ||= record.kind === "Node";
    }
    const deleted: Record_[] = [];
    for (const uid of (frame.type === "delta" && frame.delete) || []) {
      const record = this.#remove(uid);
      if (!record) continue;
      deleted.push(record);
      nodesChanged ||= record.kind === "Node";
    }
    if (nodesChanged) this.nodes = [...this.#nodes.values()].sort((a, b) => byName.compare(a.name, b.name));
    this.#time = Date.parse(frame.time);
    this.#heard = performance.now();
    this.revision = frame.revision;
    this.#tell({ all, set: frame.set, deleted });
  }

  /** Forgets the cluster, when another takes its place. */
  clear(): void {
    this.#forget();
    this.nodes = [];
    this.#tell({ all: true, set: [], deleted: [] });
  }

  /** The cluster's time. */
  now(): Date {
    return new Date(this.#time + (performance.now() - this.#heard) * this.speed);
  }

  get(uid: string): Record_ | undefined {
    return this.objects.get(uid);
  }

  /** The owners of an object, from its own to the topmost. */
  owners(record: Record_): Record_[] {
    const chain: Record_[] = [];
    for (let next = record.owner && this.get(record.owner); next && chain.length < 10; ) {
      chain.push(next);
      next = next.owner ? this.get(next.owner) : undefined;
    }
    return chain;
  }

  owned(uid: string): Record_[] {
    return [...(this.#owned.get(uid) ?? [])].flatMap((one) => this.get(one) ?? []);
  }

  /** The events about an object, the oldest first. Their names end in their time, finer than seconds. */
  events(uid: string): EventRecord[] {
    return [...(this.#events.get(uid)?.values() ?? [])].sort((a, b) => compare(a.last, b.last) || compare(a.name, b.name));
  }

  usage(node: string): Usage {
    return this.#usage.get(node) ?? none;
  }

  #forget(): void {
    for (const map of [this.objects, this.pods, this.#events, this.#owned, this.#usage, this.#nodes]) map.clear();
  }

  #tell(changes: Changes): void {
    for (const listener of this.#listeners) listener(changes);
  }

  #add(record: Record_): void {
    this.objects.set(record.uid, record);
    if (record.owner) within(this.#owned, record.owner, () => new Set()).add(record.uid);
    switch (record.kind) {
      case "Pod":
        this.pods.set(record.uid, record);
        this.#count(record, 1);
        break;
      case "Node":
        this.#nodes.set(record.uid, record);
        break;
      case "Event":
        within(this.#events, record.involved, () => new Map()).set(record.uid, record);
        break;
    }
  }

  #remove(uid: string): Record_ | undefined {
    const record = this.objects.get(uid);
    if (!record) return undefined;
    this.objects.delete(uid);
    if (record.owner) drop(this.#owned, record.owner, uid);
    switch (record.kind) {
      case "Pod":
        this.pods.delete(uid);
        this.#count(record, -1);
        break;
      case "Node":
        this.#nodes.delete(uid);
        break;
      case "Event":
        drop(this.#events, record.involved, uid);
        break;
    }
    return record;
  }

  /** Pods that have ended use nothing any more. */
  #count(pod: PodRecord, sign: 1 | -1): void {
    if (!pod.node || pod.phase === "Succeeded" || pod.phase === "Failed") return;
    const usage = within(this.#usage, pod.node, () => ({ ...none }));
    usage.cpu += sign * pod.cpu;
    usage.memory += sign * pod.memory;
    usage.pods += sign;
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function within<V>(map: Map<string, V>, key: string, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}

function drop(map: Map<string, { delete(key: string): boolean; readonly size: number }>, key: string, member: string): void {
  const members = map.get(key);
  members?.delete(member);
  if (members?.size === 0) map.delete(key);
}

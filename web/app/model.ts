/** The cluster's state as the page knows it, kept from the stream's frames. */
import type { EventRecord, Frame, NodeRecord, PodRecord, Record_ } from "./records.js";

export type Listener = () => void;

export class Model {
  readonly objects = new Map<string, Record_>();
  /** Nodes by name, in the order of their names. */
  nodes: NodeRecord[] = [];
  /** Pods by UID. */
  readonly pods = new Map<string, PodRecord>();
  /** Events by the UID of the object that they are about. */
  readonly events = new Map<string, Map<string, EventRecord>>();
  time = new Date(0);
  revision = 0;
  #listeners = new Set<Listener>();

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  apply(frame: Frame): void {
    if (frame.type !== "snapshot" && frame.type !== "delta") return;
    if (frame.type === "snapshot") this.clear();
    for (const record of frame.set) this.#set(record);
    if (frame.type === "delta") for (const uid of frame.delete ?? []) this.#delete(uid);
    this.time = new Date(frame.time);
    this.revision = frame.revision;
    for (const listener of this.#listeners) listener();
  }

  clear(): void {
    this.objects.clear();
    this.pods.clear();
    this.events.clear();
    this.nodes = [];
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
    return [...this.objects.values()].filter((record) => record.owner === uid && record.kind !== "Event");
  }

  #set(record: Record_): void {
    const known = this.objects.has(record.uid);
    this.objects.set(record.uid, record);
    switch (record.kind) {
      case "Pod":
        this.pods.set(record.uid, record);
        break;
      case "Node": {
        const at = this.nodes.findIndex((node) => node.uid === record.uid);
        if (known && at >= 0) this.nodes[at] = record;
        else {
          this.nodes.push(record);
          this.nodes.sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
        }
        break;
      }
      case "Event": {
        let about = this.events.get(record.involved);
        if (!about) this.events.set(record.involved, (about = new Map()));
        about.set(record.uid, record);
        break;
      }
    }
  }

  #delete(uid: string): void {
    const record = this.objects.get(uid);
    if (!record) return;
    this.objects.delete(uid);
    if (record.kind === "Pod") this.pods.delete(uid);
    if (record.kind === "Node") this.nodes = this.nodes.filter((node) => node.uid !== uid);
    if (record.kind === "Event") {
      const about = this.events.get(record.involved);
      about?.delete(uid);
      if (about?.size === 0) this.events.delete(record.involved);
    }
  }
}

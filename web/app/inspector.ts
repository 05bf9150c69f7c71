/** The inspector: what the selected object is, in words, and why it is so. */
import { age, h } from "./dom.js";
import type { Cluster } from "./cluster.js";
import type { Model } from "./model.js";
import { podState, type EventRecord, type Record_ } from "./records.js";
import type { Selection } from "./selection.js";

const paths: Record<string, string> = {
  Node: "/api/v1/nodes",
  Namespace: "/api/v1/namespaces",
  Pod: "/api/v1/namespaces/{ns}/pods",
  Service: "/api/v1/namespaces/{ns}/services",
  Deployment: "/apis/apps/v1/namespaces/{ns}/deployments",
  ReplicaSet: "/apis/apps/v1/namespaces/{ns}/replicasets",
};

interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
}

const refreshAfter = 150; // milliseconds between two readings of a changing object

export class Inspector {
  #open = new Set(["Conditions", "Events"]);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #shown = "";
  #yaml = h("pre", { class: "yaml", tabindex: "0" });
  #conditions = h("div");

  constructor(
    private readonly body: HTMLElement,
    private readonly model: Model,
    private readonly selection: Selection,
    private readonly cluster: () => Cluster,
  ) {
    selection.subscribe(() => this.#render());
    model.subscribe(() => this.#later());
  }

  #later(): void {
    if (this.#timer !== undefined || !this.selection.uid) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#render();
    }, refreshAfter);
  }

  #render(): void {
    const record = this.selection.uid ? this.model.get(this.selection.uid) : undefined;
    if (!record) {
      this.#shown = "";
      this.body.replaceChildren(h("p", { class: "empty" }, "Select a node or a pod on the map to look into it."));
      return;
    }
    if (this.#shown !== record.uid) {
      this.#shown = record.uid;
      this.#yaml.textContent = "";
      this.#conditions.replaceChildren();
    }
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset["key"] : undefined;
    this.body.replaceChildren(
      h("p", { class: "eyebrow" }, record.kind + (record.namespace ? ` · ${record.namespace}` : "")),
      h("h3", { class: "object-name" }, record.name),
      h("p", { class: "in-words" }, inWords(record, this.model)),
      this.#owners(record),
      this.#facts(record),
      this.#section("Conditions", this.#conditions),
      this.#section("Events", this.#events(record)),
      this.#section("YAML", this.#yaml),
    );
    if (focused) this.body.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    void this.#read(record);
  }

  #section(title: string, content: HTMLElement): HTMLElement {
    const section = h("details", { class: "section" }, h("summary", { "data-key": `section-${title}` }, title), content) as HTMLDetailsElement;
    section.open = this.#open.has(title);
    section.addEventListener("toggle", () => (section.open ? this.#open.add(title) : this.#open.delete(title)));
    return section;
  }

  #owners(record: Record_): HTMLElement {
    const chain = this.model.owners(record);
    const owned = this.model.owned(record.uid).slice(0, 12);
    const list = h("div", { class: "owners" });
    if (chain.length > 0) list.append(h("p", {}, "Owned by ", ...join(chain.map((owner) => this.#link(owner)), " ← ")));
    if (owned.length > 0) list.append(h("p", {}, "Owns ", ...join(owned.map((one) => this.#link(one)), ", ")));
    return list;
  }

  #link(record: Record_): HTMLElement {
    return h("button", { type: "button", class: "link", "data-key": record.uid, click: () => this.selection.select(record.uid) }, `${record.kind} ${record.name}`);
  }

  #facts(record: Record_): HTMLElement {
    const facts: [string, string][] = [];
    const fact = (name: string, value: string | number | undefined) => value !== undefined && value !== "" && facts.push([name, String(value)]);
    switch (record.kind) {
      case "Pod":
        fact("Status", record.status);
        fact("Ready", `${record.ready} of ${record.containers} containers`);
        fact("Restarts", record.restarts);
        fact("Node", record.node ?? "none yet");
        fact("IP", record.ip);
        fact("Image", record.images?.join(", "));
        break;
      case "Node":
        fact("Status", record.status);
        fact("CPU", `${record.cpu / 1000} cores`);
        fact("Memory", `${Math.round(record.memory / 2 ** 30)} GiB`);
        fact("Room for", `${record.pods} pods`);
        fact("Zone", record.zone);
        fact("Taints", record.taints?.join(", "));
        break;
      case "Deployment":
      case "ReplicaSet":
        fact("Wanted", record.desired);
        fact("There", record.current);
        fact("Ready", record.ready);
        fact("Revision", record.revision);
        fact("Image", record.images?.join(", "));
        break;
      case "Service":
        fact("Type", record.type);
        fact("Cluster IP", record.clusterIP);
        fact("Ports", record.ports?.join(", "));
        break;
    }
    fact("Labels", Object.entries(record.labels ?? {}).map(([key, value]) => `${key}=${value}`).join(", "));
    fact("Age", age(record.created, this.model.time));
    return h("dl", { class: "facts" }, ...facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
  }

  #events(record: Record_): HTMLElement {
    const events = [...(this.model.events.get(record.uid)?.values() ?? [])].sort(byTime);
    if (events.length === 0) return h("p", { class: "empty" }, "No events.");
    return h(
      "ol",
      { class: "events" },
      ...events.map((event) =>
        h(
          "li",
          { "data-type": event.type },
          h("span", { class: "event-reason" }, event.reason),
          h("span", { class: "event-meta" }, `${age(event.last, this.model.time)}${event.count > 1 ? ` ×${event.count}` : ""} · ${event.source}`),
          h("span", { class: "event-message" }, event.message),
        ),
      ),
    );
  }

  /** Reads what the stream does not carry. */
  async #read(record: Record_): Promise<void> {
    const base = paths[record.kind];
    if (!base) return;
    const url = `${base.replace("{ns}", encodeURIComponent(record.namespace ?? ""))}/${encodeURIComponent(record.name)}`;
    const cluster = this.cluster();
    try {
      const response = await cluster.fetch(url, { headers: { Accept: "application/json" } });
      const object = (await response.json()) as { status?: { conditions?: Condition[] } };
      if (this.#shown !== record.uid || !response.ok) return;
      this.#conditions.replaceChildren(conditionTable(object.status?.conditions ?? []));
      if (this.#open.has("YAML")) {
        const yaml = await cluster.fetch(url, { headers: { Accept: "application/yaml" } });
        const text = await yaml.text();
        if (this.#shown === record.uid && this.#yaml.textContent !== text) this.#yaml.textContent = text;
      }
    } catch {
      // The object or the cluster is gone; the stream will say so.
    }
  }
}

function byTime(a: EventRecord, b: EventRecord): number {
  return a.last === b.last ? a.name.localeCompare(b.name) : a.last < b.last ? -1 : 1;
}

function join(nodes: HTMLElement[], separator: string): (Node | string)[] {
  return nodes.flatMap((node, i) => (i === 0 ? [node] : [separator, node]));
}

function conditionTable(conditions: Condition[]): HTMLElement {
  if (conditions.length === 0) return h("p", { class: "empty" }, "No conditions.");
  const rows = conditions.map((c) =>
    h("tr", {}, h("th", { scope: "row" }, c.type), h("td", { "data-status": c.status }, c.status), h("td", {}, [c.reason, c.message].filter(Boolean).join(": "))),
  );
  return h("table", { class: "conditions" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Type"), h("th", { scope: "col" }, "Status"), h("th", { scope: "col" }, "Why"))), h("tbody", {}, ...rows));
}

/** One or two sentences that say how it is. */
export function inWords(record: Record_, model: Model): string {
  switch (record.kind) {
    case "Pod":
      switch (podState(record)) {
        case "pending":
          return "It waits for a node. The scheduler looks for one that has room and suits it.";
        case "starting":
          return `It is on ${record.node} and starts: ${record.ready} of ${record.containers} containers are ready.`;
        case "ready":
          return record.phase === "Succeeded" ? `It ran to its end on ${record.node}.` : `It runs on ${record.node}, and all its containers are ready.`;
        case "failing":
          return `Something is wrong on ${record.node ?? "its way to a node"}: ${record.status}. Its events say more.`;
        case "ending":
          return "It has been asked to end and is shutting down.";
      }
      break;
    case "Node": {
      const pods = [...model.pods.values()].filter((pod) => pod.node === record.name).length;
      const state = !record.ready ? "It is not ready: the control plane does not hear from its kubelet." : record.unschedulable ? "It is ready, but cordoned: no new pods come to it." : "It is ready and takes new pods.";
      return `${state} There ${pods === 1 ? "is 1 pod" : `are ${pods} pods`} on it.`;
    }
    case "Deployment":
      return record.ready === record.desired && record.updated === record.desired && record.current === record.desired
        ? `All ${record.desired} pods that it wants are there and ready.`
        : `It wants ${record.desired} pods of its template; ${record.updated ?? 0} have it, ${record.ready} are ready.`;
    case "ReplicaSet":
      return record.desired === 0 ? "It wants no pods: it is kept as an earlier version to go back to." : `It wants ${record.desired} pods; ${record.current} are there and ${record.ready} ready.`;
    case "Service":
      return "It gives the pods that its selector matches one name and address.";
    case "Namespace":
      return record.phase === "Active" ? "A room of its own for objects and their names." : "It is being deleted, with all that is in it.";
    case "Event":
      return record.message;
  }
  return "";
}

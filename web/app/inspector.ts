/** The inspector: what the selected object is, in words, and why it is so. */
import type { Cluster } from "./cluster.js";
import { h } from "./dom.js";
import type { Changes, Model } from "./model.js";
import type { EventRecord, Record_ } from "./records.js";
import type { Selection } from "./selection.js";
import { age, inWords } from "./words.js";

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

const refreshAfter = 150; // milliseconds between two drawings of a changing object
const mostOwned = 12; // links that are shown

export class Inspector {
  #open = new Set(["Events"]);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #shown: string | undefined;
  #yaml = h("pre", { class: "yaml", tabindex: "0", "aria-label": "YAML" });
  #conditions = h("div");

  constructor(
    private readonly body: HTMLElement,
    private readonly model: Model,
    private readonly selection: Selection,
    private readonly cluster: () => Cluster,
  ) {
    selection.subscribe(() => this.#render());
    model.subscribe((changes) => this.#concerns(changes) && this.#later());
    setInterval(() => this.#tick(), 1000);
  }

  /** Whether changes could show in what is drawn. */
  #concerns(changes: Changes): boolean {
    const record = this.selection.uid ? this.model.get(this.selection.uid) : undefined;
    if (changes.all || !record) return true;
    const chain = new Set([record.uid, ...this.model.owners(record).map((owner) => owner.uid)]);
    const touches = (other: Record_) =>
      chain.has(other.uid) ||
      other.owner === record.uid ||
      (other.kind === "Event" && other.involved === record.uid) ||
      (record.kind === "Node" && other.kind === "Pod" && other.node === record.name);
    return changes.set.some(touches) || changes.deleted.some(touches);
  }

  #later(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#render();
    }, refreshAfter);
  }

  #render(): void {
    const record = this.selection.uid ? this.model.get(this.selection.uid) : undefined;
    if (!record) {
      if (this.#shown !== undefined || this.body.childElementCount === 0) this.body.replaceChildren(nothing());
      this.#shown = undefined;
      return;
    }
    if (this.#shown !== record.uid) {
      this.#shown = record.uid;
      this.#yaml.textContent = "";
      this.#conditions.replaceChildren();
      this.body.scrollTop = 0;
    }
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset["key"] : undefined;
    this.body.replaceChildren(
      h("p", { class: "eyebrow" }, record.kind + (record.namespace ? ` · ${record.namespace}` : "")),
      h("h3", { class: "object-name" }, record.name),
      h("p", { class: "in-words" }, inWords(record, this.model)),
      this.#relations(record),
      this.#facts(record),
      this.#section("Events", this.#events(record)),
      ...(record.kind === "Pod" || record.kind === "Node" || record.kind === "Deployment" ? [this.#section("Conditions", this.#conditions)] : []),
      this.#section("YAML", this.#yaml),
    );
    if (focused) this.body.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    void this.#read(record);
  }

  #section(title: string, content: HTMLElement): HTMLElement {
    const section = h("details", { class: "section" }, h("summary", { "data-key": `section-${title}` }, title), content) as HTMLDetailsElement;
    section.open = this.#open.has(title);
    section.addEventListener("toggle", () => {
      if (section.open === this.#open.has(title)) return;
      if (section.open) this.#open.add(title);
      else this.#open.delete(title);
      this.#later(); // reads what it shows
    });
    return section;
  }

  #relations(record: Record_): HTMLElement {
    const list = h("div", { class: "owners" });
    const chain = this.model.owners(record);
    if (chain.length > 0) {
      const steps = chain.map((owner) => h("li", {}, this.#link(owner)));
      list.append(h("p", {}, "Owned by"), h("ol", { class: "chain" }, ...steps));
    }
    const owned = this.model.owned(record.uid);
    if (owned.length > 0) {
      const shown = owned.slice(0, mostOwned).map((one) => h("li", {}, this.#link(one)));
      if (owned.length > mostOwned) shown.push(h("li", {}, `and ${owned.length - mostOwned} more`));
      list.append(h("p", {}, "Owns"), h("ul", {}, ...shown));
    }
    return list;
  }

  #link(record: Record_): HTMLElement {
    return h("button", { type: "button", class: "link", "data-key": record.uid, click: () => this.selection.select(record.uid) }, `${record.kind} ${record.name}`);
  }

  #facts(record: Record_): HTMLElement {
    const rows: HTMLElement[] = [];
    for (const [name, value] of facts(record)) rows.push(h("dt", {}, name), h("dd", {}, value));
    rows.push(h("dt", {}, "Age"), h("dd", {}, this.#age(record.created)));
    return h("dl", { class: "facts" }, ...rows);
  }

  #events(record: Record_): HTMLElement {
    const events = this.model.events(record.uid).reverse();
    if (events.length === 0) return h("p", { class: "empty" }, "No events.");
    return h("ol", { class: "events", reversed: true }, ...events.map((event) => this.#event(event)));
  }

  #event(event: EventRecord): HTMLElement {
    const times = event.count > 1 ? ` · ${event.count} times` : "";
    return h(
      "li",
      { "data-type": event.type },
      h("span", { class: "event-reason" }, event.reason),
      h("span", { class: "event-meta" }, this.#age(event.last), `${times} · ${event.source}`),
      h("span", { class: "event-message" }, event.message),
    );
  }

  #age(since: string): HTMLElement {
    return h("time", { datetime: since }, age(since, this.model.now()));
  }

  /** Ages go on without any change. */
  #tick(): void {
    const now = this.model.now();
    for (const element of this.body.querySelectorAll("time")) element.textContent = age(element.dateTime, now);
  }

  /** Reads what the stream does not carry. */
  async #read(record: Record_): Promise<void> {
    const base = paths[record.kind];
    if (!base) return;
    const url = `${base.replace("{ns}", encodeURIComponent(record.namespace ?? ""))}/${encodeURIComponent(record.name)}`;
    const read = async (type: string) => {
      const response = await this.cluster().fetch(url, { headers: { Accept: type } });
      return response.ok && this.#shown === record.uid ? response : undefined;
    };
    try {
      if (this.#open.has("Conditions")) {
        const object = (await (await read("application/json"))?.json()) as { status?: { conditions?: Condition[] } } | undefined;
        if (object && this.#shown === record.uid) this.#conditions.replaceChildren(conditionTable(object.status?.conditions ?? []));
      }
      if (this.#open.has("YAML")) {
        const text = await (await read("application/yaml"))?.text();
        if (text !== undefined && this.#shown === record.uid && this.#yaml.textContent !== text) this.#yaml.textContent = text;
      }
    } catch {
      // The object or the cluster is gone; the stream will say so.
    }
  }
}

function nothing(): HTMLElement {
  return h("p", { class: "empty" }, "Select a node or a pod on the map to look into it.");
}

function facts(record: Record_): [string, string][] {
  const all: [string, string | number | undefined][] = [];
  switch (record.kind) {
    case "Pod":
      all.push(["Status", record.status], ["Ready", `${record.ready} of ${record.containers}`], ["Restarts", record.restarts]);
      all.push(["Node", record.node ?? "none yet"], ["IP", record.ip], ["Image", record.images?.join(", ")]);
      break;
    case "Node":
      all.push(["Status", record.status.replace(/,/g, ", ")], ["CPU", `${record.cpu / 1000} cores`], ["Memory", `${Math.round(record.memory / 2 ** 30)} GiB`]);
      all.push(["Room for", `${record.pods} pods`], ["Zone", record.zone], ["Taints", record.taints?.join(", ")]);
      break;
    case "Deployment":
    case "ReplicaSet":
      all.push(["Wanted", record.desired], ["There", record.current], ["Ready", record.ready], ["Revision", record.revision], ["Image", record.images?.join(", ")]);
      break;
    case "Service":
      all.push(["Type", record.type], ["Cluster IP", record.clusterIP], ["Ports", record.ports?.join(", ")], ["Selector", pairs(record.selector)]);
      break;
  }
  if (record.kind !== "Node") all.push(["Labels", pairs(record.labels)]);
  return all.flatMap(([name, value]) => (value === undefined || value === "" ? [] : [[name, String(value)]]));
}

function pairs(map: Record<string, string> = {}): string {
  return Object.entries(map)
    .map(([key, value]) => `${key}=${value}`)
    .join(", ");
}

function conditionTable(conditions: Condition[]): HTMLElement {
  if (conditions.length === 0) return h("p", { class: "empty" }, "No conditions.");
  const rows = conditions.map((condition) => {
    const why = [condition.reason, condition.message].filter(Boolean).join(": ");
    return h("tr", {}, h("th", { scope: "row" }, condition.type), h("td", {}, condition.status), h("td", {}, why));
  });
  const head = ["Type", "Status", "Why"].map((name) => h("th", { scope: "col" }, name));
  return h("table", { class: "conditions" }, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows));
}

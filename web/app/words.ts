/** How the page says in words what records say in fields. */
import type { Model } from "./model.js";
import { podState, type NodeRecord, type PodRecord, type Record_ } from "./records.js";

/** The time between two moments, as kubectl prints it. */
export function age(since: string, now: Date): string {
  const seconds = Math.max(Math.floor((now.getTime() - new Date(since).getTime()) / 1000), 0);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  const years = Math.floor(days / 365);
  const both = (large: string, small: number, unit: string) => (small === 0 ? large : `${large}${small}${unit}`);
  if (seconds < 120) return `${seconds}s`;
  if (minutes < 10) return both(`${minutes}m`, seconds % 60, "s");
  if (hours < 3) return `${minutes}m`;
  if (hours < 8) return both(`${hours}h`, minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  if (days < 8) return both(`${days}d`, hours % 24, "h");
  if (years < 2) return `${days}d`;
  if (years < 8) return both(`${years}y`, days % 365, "d");
  return `${years}y`;
}

/** A few words for a tooltip. */
export function brief(record: PodRecord | NodeRecord): string {
  if (record.kind === "Node") return record.status.replace(/,/g, ", ");
  const restarts = record.restarts > 0 ? ` · ${count(record.restarts, "restart")}` : "";
  return `${record.status} · ${record.ready}/${record.containers} ready${restarts}`;
}

/** One or two sentences that say how an object is. */
export function inWords(record: Record_, model: Pick<Model, "usage">): string {
  switch (record.kind) {
    case "Pod":
      return podInWords(record);
    case "Node":
      return `${nodeState(record)} ${count(model.usage(record.name).pods, "pod")} on it.`;
    case "Deployment":
      if (record.desired === 0) return "It wants no pods.";
      return record.ready === record.desired && record.updated === record.desired && record.current === record.desired
        ? `${record.desired === 1 ? "The one pod" : `All ${record.desired} pods`} it wants ${record.desired === 1 ? "is" : "are"} there and ready.`
        : `It wants ${count(record.desired, "pod")} of its present template; ${record.updated ?? 0} ${record.updated === 1 ? "has" : "have"} it. ${record.ready} of all ${record.current} ${record.ready === 1 ? "is" : "are"} ready.`;
    case "ReplicaSet":
      if (record.desired === 0) return "It wants no pods: it is kept as an earlier version to go back to.";
      return `It wants ${count(record.desired, "pod")}; ${record.current} ${record.current === 1 ? "is" : "are"} there, ${record.ready} ready.`;
    case "Service":
      return "It gives the pods that its selector matches one name and one address.";
    case "Namespace":
      return record.phase === "Active" ? "A room of its own for objects and their names." : "It is being deleted, with all that is in it.";
    case "Event":
      return record.message;
  }
}

function podInWords(pod: PodRecord): string {
  switch (podState(pod)) {
    case "pending":
      return "It waits for a node. The scheduler looks for one that has room and suits it.";
    case "starting":
      return `It is on ${pod.node} and starts: ${pod.ready} of ${count(pod.containers, "container")} ready.`;
    case "ready":
      return pod.phase === "Succeeded" ? `It ran to its end on ${pod.node}.` : `It runs on ${pod.node}, and ${pod.containers === 1 ? "its container is" : "all its containers are"} ready.`;
    case "failing":
      return `Something is wrong ${pod.node ? `on ${pod.node}` : "before it has a node"}: ${pod.status}. Its events say more.`;
    case "ending":
      return "It has been asked to end and is shutting down.";
  }
}

function nodeState(node: NodeRecord): string {
  if (!node.ready) return "It is not ready: the control plane does not hear from its kubelet, or hears bad news.";
  return node.unschedulable ? "It is ready, but cordoned: no new pods come to it." : "It is ready and takes new pods.";
}

export function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}

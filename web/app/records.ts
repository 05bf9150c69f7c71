/** The records of the view stream: see engine/view/record.go. */

interface Common {
  uid: string;
  name: string;
  namespace?: string;
  owner?: string;
  created: string;
  deleting?: boolean;
  labels?: Record<string, string>;
}

export interface NodeRecord extends Common {
  kind: "Node";
  ready?: boolean;
  unschedulable?: boolean;
  status: string;
  cpu: number;
  memory: number;
  pods: number;
  zone?: string;
  taints?: string[];
}

export interface PodRecord extends Common {
  kind: "Pod";
  node?: string;
  phase: string;
  status: string;
  ready: number;
  containers: number;
  restarts: number;
  cpu: number;
  memory: number;
  ip?: string;
  images?: string[];
}

export interface WorkloadRecord extends Common {
  kind: "Deployment" | "ReplicaSet";
  desired: number;
  current: number;
  updated?: number;
  ready: number;
  available: number;
  paused?: boolean;
  revision?: string;
  images?: string[];
}

export interface ServiceRecord extends Common {
  kind: "Service";
  type: string;
  clusterIP?: string;
  selector?: Record<string, string>;
  ports?: string[];
}

export interface NamespaceRecord extends Common {
  kind: "Namespace";
  phase: string;
}

export interface EventRecord extends Common {
  kind: "Event";
  type: string;
  reason: string;
  message: string;
  involved: string;
  count: number;
  last: string;
  source: string;
}

export type Record_ = NodeRecord | PodRecord | WorkloadRecord | ServiceRecord | NamespaceRecord | EventRecord;

export interface LessonStep {
  id: string;
  done?: boolean;
  detail?: string;
}

export type Frame =
  | { type: "snapshot"; revision: number; time: string; set: Record_[] }
  | { type: "delta"; revision: number; time: string; set: Record_[]; delete?: string[] }
  | { type: "lesson"; id: string; steps: LessonStep[]; current?: string }
  | { type: "error"; message: string };

/** How a pod is, in the five states that the map draws. */
export type PodState = "pending" | "starting" | "ready" | "failing" | "ending";

const failures = /BackOff|Err|Error|OOMKilled|Failed|Unknown|Invalid|Evicted|CrashLoop/;

export function podState(pod: PodRecord): PodState {
  if (pod.deleting) return "ending";
  if (failures.test(pod.status)) return "failing";
  if (!pod.node) return "pending";
  if (pod.phase === "Succeeded" || (pod.phase === "Running" && pod.ready === pod.containers)) return "ready";
  return "starting";
}

/** What the page and the kubectl worker say to each other. */
import type { Change } from "./vfs.js";

/** A terminal, and which of a command's streams are its. */
export interface TerminalState {
  stdin: boolean;
  stdout: boolean;
  columns: number;
  rows: number;
}

export type ToWorker =
  /** First. `module` spares a new worker the download and the compilation. */
  | { type: "load"; wasm: string; runtime: string; size: number; module?: WebAssembly.Module; home: string; files: Change[] }
  /** Requests go through this port from now on. */
  | { type: "connect"; port: MessagePort }
  | { type: "files"; changes: Change[] }
  /** One at a time, and only after "ready". */
  | { type: "run"; args: string[]; cwd: string; terminal: TerminalState | null }
  | { type: "interrupt" }
  | { type: "resize"; columns: number; rows: number }
  /** Answers "read"; null is the end of the input. */
  | { type: "input"; data: Uint8Array | null }
  /** Answers "edit". */
  | { type: "edited"; error?: string };

export type FromWorker =
  /** Bytes of the module; a total of 0 is unknown. */
  | { type: "progress"; loaded: number; total: number }
  | { type: "ready"; module: WebAssembly.Module }
  | { type: "failed"; message: string }
  | { type: "output"; stream: "stdout" | "stderr"; data: Uint8Array }
  | { type: "read" }
  | { type: "edit"; path: string }
  /** Keys are to arrive as they are typed, and not to be shown; or no longer. */
  | { type: "raw"; on: boolean }
  | { type: "files"; changes: Change[] }
  /** `reusable` is false when the worker cannot run another command. */
  | { type: "exit"; code: number; reusable: boolean };

/**
 * Connections that carry messages both ways: what exec and attach need besides
 * requests and responses.
 */

/** Told of what happens on a connection. */
export interface Listener {
  /** Once, first: 101, or the status of a refusal, whose body the messages are then. */
  begin(status: number): void;
  message(data: Uint8Array): void;
  /** Once, last. */
  end(error?: Error): void;
}

export interface Channel {
  send(data: Uint8Array): void;
  close(): void;
}

export type Headers_ = Record<string, string>;

/** Asks for a connection; the url is a path with its query. */
export type Dial = (url: string, headers: Headers_, on: Listener) => Channel;

/**
 * A Dial over WebSockets. A browser lets nobody choose a WebSocket's headers: of
 * them, the token travels as one of the protocols, as Kubernetes has it. Why a
 * server refuses a WebSocket a page is not told either: so it asks again by fetch.
 */
export function overWebSockets(
  address: (url: string) => URL,
  token: string,
  fetch: (url: string, init: RequestInit) => Promise<Response>,
): Dial {
  return (url, headers, on) => {
    const bearer = /^Bearer +(.+)$/i.exec(headers["authorization"] ?? "")?.[1] ?? token;
    const protocols = [headers["sec-websocket-protocol"] ?? ""];
    if (bearer !== "") protocols.push(`base64url.bearer.authorization.k8s.io.${base64url(bearer)}`);
    if (Object.keys(headers).some((name) => name.startsWith("impersonate-"))) {
      queueMicrotask(() => on.end(new Error("a page can't act as somebody else over a WebSocket")));
      return { send: () => undefined, close: () => undefined };
    }
    const target = address(url);
    target.protocol = target.protocol.replace("http", "ws");
    const socket = new WebSocket(target, protocols);
    socket.binaryType = "arraybuffer";
    let open = false;
    let closed = false;
    socket.onopen = () => {
      open = true;
      on.begin(101);
    };
    socket.onmessage = (event: MessageEvent<ArrayBuffer>) => on.message(new Uint8Array(event.data));
    socket.onclose = (event) => {
      if (closed || open) on.end(closed || event.wasClean ? undefined : new Error("the connection to the cluster was lost"));
      else refusal(fetch(url, {}), on).catch((error: unknown) => on.end(error instanceof Error ? error : new Error(String(error))));
    };
    return {
      send: (data) => socket.readyState === WebSocket.OPEN && socket.send(data as Uint8Array<ArrayBuffer>),
      close: () => {
        closed = true;
        socket.close();
      },
    };
  };
}

async function refusal(asked: Promise<Response>, on: Listener): Promise<void> {
  const response = await asked;
  const body = await response.arrayBuffer();
  on.begin(response.status);
  on.message(new Uint8Array(body));
  on.end();
}

/** A text in the alphabet of base64url, without padding. */
export function base64url(text: string): string {
  return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

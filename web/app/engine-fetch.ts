/**
 * HTTP over a MessagePort.
 *
 * A port carries any number of requests at once. The client sends
 *   {id, method, url, headers, body}  and perhaps later  {id, abort: true};
 * the other side answers
 *   {id, status, headers}, then {id, chunk}*, then {id, end: true},
 * or at any time {id, error}. The url is a path with its query.
 *
 * A request with the header "connection: upgrade" that is answered with status
 * 101 has become a connection for messages: each chunk is one, and the client
 * sends its own as {id, message}.
 */
import type { Channel, Dial, Headers_ } from "./channel.js";

export type Fetch = (input: Request | URL | string, init?: RequestInit) => Promise<Response>;

type ToEngine =
  | { id: number; method: string; url: string; headers: Headers_; body: Uint8Array | null }
  | { id: number; message: Uint8Array }
  | { id: number; abort: true };

type FromEngine =
  | { id: number; status: number; headers: Headers_ }
  | { id: number; chunk: Uint8Array }
  | { id: number; end: true }
  | { id: number; error: string };

/** What is known of a request that has not ended. */
interface Exchange {
  begin(status: number, headers: Headers_): void;
  chunk(data: Uint8Array): void;
  end(): void;
  fail(error: unknown): void;
}

/** What a request fails with that its other side cannot answer, or not to the end. */
export class ConnectionError extends TypeError {}

/** A fetch over a port; closing it fails what is under way. */
export type PortFetch = Fetch & { dial: Dial; close(): void };

/** Returns a fetch whose requests travel over the port. It owns the port from then on. */
export function engineFetch(port: MessagePort): PortFetch {
  const exchanges = new Map<number, Exchange>();
  let last = 0;

  port.onmessage = (event: MessageEvent<FromEngine>) => {
    const message = event.data;
    const exchange = exchanges.get(message.id);
    if (!exchange) return; // aborted meanwhile
    if ("chunk" in message) exchange.chunk(message.chunk);
    else if ("status" in message) exchange.begin(message.status, message.headers);
    else {
      exchanges.delete(message.id);
      if ("error" in message) exchange.fail(new ConnectionError(message.error));
      else exchange.end();
    }
  };

  const close = (): void => {
    for (const [id, exchange] of exchanges) {
      port.postMessage({ id, abort: true } satisfies ToEngine);
      exchange.fail(new ConnectionError("The connection to the cluster was closed."));
    }
    exchanges.clear();
    port.close();
  };

  const dial: Dial = (url, headers, on) => {
    const id = ++last;
    const send = (message: ToEngine): void => port.postMessage(message);
    exchanges.set(id, {
      begin: (status) => on.begin(status),
      chunk: (data) => on.message(data),
      end: () => on.end(),
      fail: (error) => on.end(error instanceof Error ? error : new Error(String(error))),
    });
    send({ id, method: "GET", url, headers, body: null });
    return {
      send: (message) => send({ id, message }),
      close: () => {
        if (!exchanges.delete(id)) return;
        send({ id, abort: true });
        queueMicrotask(() => on.end());
      },
    };
  };

  const fetch: Fetch = async (input, init) => {
    const request = input instanceof Request ? new Request(input, init) : null;
    const signal = init?.signal ?? request?.signal ?? null;
    const address = new URL(request ? request.url : String(input), "http://engine");
    const body = request ? await bytesOf(request.body && request) : await bytesOf(init?.body);
    signal?.throwIfAborted();

    const id = ++last;
    const send = (message: ToEngine) => port.postMessage(message);
    return new Promise<Response>((resolve, reject) => {
      const abort = (): void => {
        if (!exchanges.delete(id)) return;
        send({ id, abort: true });
        exchange.fail(signal?.reason ?? new DOMException("The request was aborted.", "AbortError"));
      };
      const exchange = newExchange(resolve, reject, {
        cancelled: () => {
          if (exchanges.delete(id)) send({ id, abort: true });
        },
        settled: () => signal?.removeEventListener("abort", abort),
      });
      exchanges.set(id, exchange);
      signal?.addEventListener("abort", abort);
      send({
        id,
        method: (init?.method ?? request?.method ?? "GET").toUpperCase(),
        url: address.pathname + address.search,
        headers: Object.fromEntries(request ? request.headers : new Headers(init?.headers)),
        body,
      });
    });
  };
  return Object.assign(fetch, { dial, close });
}

/** Answers every request that arrives on a port with an error. */
export function refuse(port: MessagePort, reason: string): void {
  port.onmessage = ({ data }: MessageEvent<ToEngine>) => {
    if ("method" in data) port.postMessage({ id: data.id, error: reason } satisfies FromEngine);
  };
}

/** The client's state of one request, from sending it to the last byte of its body. */
function newExchange(
  resolve: (response: Response) => void,
  reject: (reason: unknown) => void,
  on: { cancelled(): void; settled(): void },
): Exchange {
  let body: ReadableStreamDefaultController<Uint8Array> | undefined;
  let answered = false;
  return {
    begin(status, headers) {
      answered = true;
      if (status === 204 || status === 205 || status === 304) {
        resolve(new Response(null, { status, headers })); // such a response may not have a body
        return;
      }
      const stream = new ReadableStream<Uint8Array>({
        start: (controller) => void (body = controller),
        cancel: () => {
          body = undefined;
          on.settled();
          on.cancelled();
        },
      });
      resolve(new Response(stream, { status, headers }));
    },
    chunk: (data) => body?.enqueue(data),
    end() {
      on.settled();
      if (answered) body?.close();
      else reject(new TypeError("The engine ended the response before it began."));
    },
    fail(error) {
      on.settled();
      if (answered) body?.error(error);
      else reject(error);
    },
  };
}

/**
 * Answers the requests that arrive on a port with a fetch and a dial of the page's
 * own: so that whoever holds the other end reaches a server as it would reach an
 * engine.
 */
export function serveFetch(port: MessagePort, fetch: Fetch, dial: Dial): void {
  const running = new Map<number, AbortController>();
  const channels = new Map<number, Channel>();
  port.onmessage = (event: MessageEvent<ToEngine>) => {
    const message = event.data;
    const { id } = message;
    if ("abort" in message) {
      running.get(id)?.abort();
      channels.get(id)?.close();
      return;
    }
    if ("message" in message) {
      channels.get(id)?.send(message.message);
      return;
    }
    if (message.headers["connection"]?.toLowerCase() === "upgrade") {
      const send = (message: FromEngine) => port.postMessage(message);
      const channel = dial(message.url, message.headers, {
        begin: (status) => send({ id, status, headers: {} }),
        message: (chunk) => send({ id, chunk }),
        end: (error) => {
          channels.delete(id);
          send(error ? { id, error: error.message } : { id, end: true });
        },
      });
      channels.set(id, channel);
      return;
    }
    const aborter = new AbortController();
    running.set(id, aborter);
    void answer(port, fetch, message, aborter.signal).finally(() => running.delete(id));
  };
}

async function answer(
  port: MessagePort,
  fetch: Fetch,
  request: Extract<ToEngine, { method: string }>,
  signal: AbortSignal,
): Promise<void> {
  const { id } = request;
  const send = (message: FromEngine) => port.postMessage(message);
  try {
    const response = await fetch(request.url, {
      method: request.method,
      headers: request.headers,
      body: request.body as Uint8Array<ArrayBuffer> | null,
      signal,
    });
    send({ id, status: response.status, headers: Object.fromEntries(response.headers) });
    const reader = response.body?.getReader();
    for (;;) {
      const next = await reader?.read();
      if (!next || next.done) break;
      send({ id, chunk: next.value });
    }
    send({ id, end: true });
  } catch (error) {
    if (!signal.aborted) send({ id, error: error instanceof Error ? error.message : String(error) });
  }
}

async function bytesOf(body: BodyInit | Request | null | undefined): Promise<Uint8Array | null> {
  if (body === null || body === undefined) return null;
  if (body instanceof Uint8Array) return body;
  const source = body instanceof Request ? body : new Response(body);
  return new Uint8Array(await source.arrayBuffer());
}

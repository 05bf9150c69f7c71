import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Dial } from "../app/channel.js";
import { ConnectionError, engineFetch, refuse, serveFetch, type Fetch, type PortFetch } from "../app/engine-fetch.js";

const refused: Dial = () => assert.fail("nobody dials here");

const open: MessagePort[] = [];
after(() => open.forEach((port) => port.close()));

/** A fetch that reaches another one through a port. */
function through(fetch: Fetch, dial: Dial = refused): PortFetch {
  const { port1, port2 } = new MessageChannel();
  open.push(port1, port2);
  serveFetch(port1, fetch, dial);
  return engineFetch(port2);
}

test("a request and its response arrive whole", async () => {
  const fetch = through(async (input, init) => {
    const headers = new Headers(init?.headers);
    const body = new TextDecoder().decode(init?.body as Uint8Array);
    return new Response(`${init?.method} ${String(input)} ${headers.get("accept")} ${body}`, { status: 201, headers: { "X-Answer": "yes" } });
  });
  const response = await fetch("https://anywhere:6443/api/v1/pods?watch=1", { method: "post", headers: { Accept: "text/plain" }, body: "hello" });
  assert.equal(response.status, 201);
  assert.equal(response.headers.get("x-answer"), "yes");
  assert.equal(await response.text(), "POST /api/v1/pods?watch=1 text/plain hello");
});

test("requests on one port do not disturb each other", async () => {
  const fetch = through(async (input) => new Response(`for ${String(input)}`));
  const paths = Array.from({ length: 20 }, (_, i) => `/${i}`);
  const texts = await Promise.all(paths.map(async (path) => (await fetch(path)).text()));
  assert.deepEqual(texts, paths.map((path) => `for ${path}`));
});

test("a response without a body is one", async () => {
  const fetch = through(async () => new Response(null, { status: 204 }));
  assert.equal((await fetch("/")).status, 204);
});

test("a failure to answer is a failure to fetch", async () => {
  const fetch = through(async () => {
    throw new Error("out of order");
  });
  await assert.rejects(fetch("/"), new TypeError("out of order"));
});

test("a response streams until it is aborted, and the other side hears of it", async () => {
  let aborted: () => void;
  const heard = new Promise<void>((resolve) => (aborted = resolve));
  const fetch = through(async (_, init) => {
    init?.signal?.addEventListener("abort", () => aborted());
    return new Response(new ReadableStream({ start: (c) => c.enqueue(new TextEncoder().encode("first")) }));
  });
  const aborter = new AbortController();
  const response = await fetch("/watch", { signal: aborter.signal });
  const reader = response.body!.getReader();
  assert.equal(new TextDecoder().decode((await reader.read()).value), "first");
  const next = reader.read();
  aborter.abort();
  await assert.rejects(next, { name: "AbortError" });
  await heard;
});

test("a reader that cancels ends the request", async () => {
  let aborted: () => void;
  const heard = new Promise<void>((resolve) => (aborted = resolve));
  const fetch = through(async (_, init) => {
    init?.signal?.addEventListener("abort", () => aborted());
    return new Response(new ReadableStream());
  });
  await (await fetch("/watch")).body!.cancel();
  await heard;
});

test("an aborted request is not sent", async () => {
  const fetch = through(() => assert.fail("it was sent"));
  await assert.rejects(fetch("/", { signal: AbortSignal.abort() }), { name: "AbortError" });
});

test("closing fails what is under way, and the other side hears of it", async () => {
  let aborted: () => void;
  const heard = new Promise<void>((resolve) => (aborted = resolve));
  const fetch = through(async (url, init) => {
    init?.signal?.addEventListener("abort", () => aborted());
    return String(url) === "/never" ? new Promise(() => undefined) : new Response(new ReadableStream());
  });
  const unanswered = fetch("/never");
  const reader = (await fetch("/watch")).body!.getReader();
  const next = reader.read();
  fetch.close();
  await assert.rejects(unanswered, ConnectionError);
  await assert.rejects(next, ConnectionError);
  await heard;
});

test("a refused request says why", async () => {
  const { port1, port2 } = new MessageChannel();
  refuse(port2, "there is no engine");
  const fetch = engineFetch(port1);
  await assert.rejects(fetch("/"), new ConnectionError("there is no engine"));
  fetch.close();
});

test("messages travel both ways on an upgraded connection", async () => {
  const decode = (data: Uint8Array) => new TextDecoder().decode(data);
  const asked: string[] = [];
  const fetch = through(async () => new Response(), (url, headers, on) => {
    asked.push(`${url} ${headers["x-wish"]}`);
    queueMicrotask(() => on.begin(101));
    return {
      send: (data) => on.message(new TextEncoder().encode(`${decode(data)}!`)),
      close: () => {
        asked.push("closed");
        on.end();
      },
    };
  });
  const heard: string[] = [];
  await new Promise<void>((resolve) => {
    const channel = fetch.dial("/exec?command=sh", { connection: "Upgrade", "x-wish": "tea" }, {
      begin: (status) => {
        heard.push(String(status));
        channel.send(new TextEncoder().encode("one"));
      },
      message: (data) => {
        heard.push(decode(data));
        channel.close();
      },
      end: (error) => {
        heard.push(error ? error.message : "end");
        resolve();
      },
    });
  });
  await fetch("/"); // what was sent before has arrived
  assert.deepEqual(heard, ["101", "one!", "end"]);
  assert.deepEqual(asked, ["/exec?command=sh tea", "closed"]);
});

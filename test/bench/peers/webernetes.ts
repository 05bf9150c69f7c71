// Measures @ngrok/webernetes: from applying a Deployment to all its replicas
// being Ready. It runs in real time with its own latencies set to zero, so that
// what is measured is its work.
import { BaseImage, Cluster, type ProcessContext } from "@ngrok/webernetes";

class Nginx extends BaseImage {
  static readonly imageName = "nginx";
  static readonly imageVersion = "1.14.2";
  readonly defaultCommand = ["nginx"];

  override async exec(ctx: ProcessContext, argv: readonly string[]): Promise<number> {
    if (argv[0] !== "nginx") return super.exec(ctx, argv);
    ctx.listenHttp(80, async () => ({ statusCode: 200, body: "hello\n" }));
    return ctx.waitUntilKilled();
  }
}

async function measure(nodes: number, replicas: number): Promise<number> {
  const cluster = new Cluster({ nodes });
  cluster.registerImage(Nginx);
  await cluster.init();
  try {
    const start = performance.now();
    let finish: (milliseconds: number) => void;
    const finished = new Promise<number>((resolve) => (finish = resolve));
    const informer = cluster.informer("deployments", (_, deployment) => {
      if (deployment.status?.readyReplicas === replicas) finish(performance.now() - start);
    });
    await cluster.apply([
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "nginx-deployment" },
        spec: {
          replicas,
          selector: { matchLabels: { app: "nginx" } },
          template: {
            metadata: { labels: { app: "nginx" } },
            spec: { containers: [{ name: "nginx", image: "nginx:1.14.2", ports: [{ containerPort: 80 }] }] },
          },
        },
      },
    ]);
    const milliseconds = await finished;
    await informer.stop();
    return milliseconds;
  } finally {
    await cluster.close();
  }
}

Object.assign(globalThis, { measureWebernetes: measure });

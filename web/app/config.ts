/** What the server tells the page, in the attribute data-config of its body. */
export interface Config {
  /** URLs of built files by their logical names. */
  assets: Record<string, string>;
  /** The lesson's files, by name. */
  files: Record<string, string>;
  /** There is a server with a cluster of its own to switch to. */
  server: boolean;
  /** Bytes of kubectl.wasm when it is not compressed; 0 if that is not known. */
  kubectlSize: number;
}

export function readConfig(): Config {
  return JSON.parse(document.body.dataset["config"] ?? "{}") as Config;
}

export function asset(config: Config, name: string): string {
  const url = config.assets[name];
  if (!url) throw new Error(`the page does not know the file ${name}`);
  return new URL(url, location.href).href;
}

export interface DockerRegistryConfigOptions {
  readonly dataFolder: string;
  readonly port: number;
  readonly secret: string;
  /** Sent back in a header, by which the starter knows its own server. */
  readonly instance: string;
}

/** The header that names the instance. */
export const instanceHeader = 'x-waybill-instance';

/** The configuration of Distribution 2.8 as JSON, which its YAML reader takes: open, and on loopback only. */
export function dockerRegistryConfig({ dataFolder, port, secret, instance }: DockerRegistryConfigOptions): string {
  const config = {
    version: 0.1,
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: dataFolder, maxthreads: 100 },
      delete: { enabled: true },
      // By age alone: Distribution 2.8 answers 404 when a session whose request broke off is deleted, so nobody else can.
      maintenance: { uploadpurging: { enabled: true, age: '168h', interval: '24h', dryrun: false } },
    },
    http: { addr: `127.0.0.1:${port}`, secret, headers: { [instanceHeader]: [instance] } },
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

export interface DockerRegistryConfigOptions {
  readonly dataFolder: string;
  readonly port: number;
  readonly secret: string;
  /** Sent back in a header, by which the starter knows its own server. */
  readonly instance: string;
  /** Refuse all writes (405). Default false. */
  readonly isReadOnly?: boolean;
  readonly notifications?: NotificationEndpoint | undefined;
}

/** Who is told what happens in a registry. */
export interface NotificationEndpoint {
  readonly url: string;
  /** Shown with everything that is told. */
  readonly secret: string;
}

/** By age alone: Distribution 2.8 answers 404 when a session whose request broke off is deleted, so nobody else can. */
const readWrite = { uploadpurging: { enabled: true, age: '168h', interval: '24h', dryrun: false } };
/** Uploads are not purged meanwhile: nothing but the collection removes anything. */
const readOnly = { uploadpurging: { enabled: false }, readonly: { enabled: true } };

/** Who is being answered is answered to the end when the registry is restarted; shorter than whoever stops it waits. */
const drainTimeout = '5s';

/** The header that names the instance. */
export const instanceHeader = 'x-waybill-instance';

/** The configuration of Distribution 2.8 as JSON, which its YAML reader takes: open, and on loopback only. */
export function dockerRegistryConfig({
  dataFolder,
  port,
  secret,
  instance,
  isReadOnly = false,
  notifications,
}: DockerRegistryConfigOptions): string {
  const config = {
    version: 0.1,
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: dataFolder, maxthreads: 100 },
      delete: { enabled: true },
      maintenance: isReadOnly ? readOnly : readWrite,
    },
    http: { addr: `127.0.0.1:${port}`, secret, headers: { [instanceHeader]: [instance] }, draintimeout: drainTimeout },
    ...(notifications === undefined ? {} : { notifications: { endpoints: [endpointOf(notifications)] } }),
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** Blobs are of no interest. What is not heard is told again, every few seconds, for as long as the registry runs. */
function endpointOf({ url, secret }: NotificationEndpoint) {
  const headers = { Authorization: [`Bearer ${secret}`] };
  const ignore = { mediatypes: ['application/octet-stream'] };
  return { name: 'waybill', url, headers, timeout: '5s', threshold: 3, backoff: '2s', ignore };
}

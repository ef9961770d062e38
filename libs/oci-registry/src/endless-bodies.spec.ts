import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ScriptedServer, startScriptedServer, startTypeScript } from '@waybill/testing';

/**
 * For all of them together: several times what one body is read to (32 MiB at most), for putting its pieces
 * together and for what Node lets pile up before it collects garbage; a quarter of what the blob alone gives.
 */
const mostGrowthBytes = 256 * 1024 * 1024;
/** How much of an endless blob is read: more than the memory that may be taken. */
const blobBytes = 1024 * 1024 * 1024;

interface Measured {
  readonly verb: string;
  readonly code: string;
  readonly growth: number;
}

/** A body that never ends, as fast as it is taken; an error for manifests by tag; tokens are endless too. */
async function startEndlessServer(): Promise<ScriptedServer> {
  const block = Buffer.alloc(256 * 1024, 'x');
  return await startScriptedServer((request, response) => {
    if (request.url === '/v2/') {
      const realm = `Bearer realm="http://${request.headers.host}/token",service="endless"`;
      return response.writeHead(401, { 'www-authenticate': realm }).end();
    }
    response.writeHead(request.url?.endsWith('/manifests/refused') === true ? 400 : 200, { 'content-type': 'application/json' });
    const more = (): void => {
      if (!response.destroyed) response.write(block, () => setImmediate(more));
    };
    more();
    return undefined;
  });
}

/** Runs in a process of its own, so that nothing else's memory is counted. */
function reader(origin: string): string {
  return `
    import { RegistryClient, basicCredentials } from '@waybill/oci-registry';
    import { parseDigest, parseRepositoryName, parseTag } from '@waybill/oci-model';

    const user = basicCredentials('anna', 'open sesame');
    const client = new RegistryClient({ origin: ${JSON.stringify(origin)}, retries: 0, credentials: { read: user, write: user } });
    const repository = client.repository(parseRepositoryName('team/app'));
    const digest = parseDigest('sha256:' + '0'.repeat(64));
    const memory = () => { const { heapUsed, external } = process.memoryUsage(); return heapUsed + external; };
    const all = async (list) => { for await (const each of list) if (each === undefined) return; };
    const most = ${blobBytes};

    async function readBlob() {
      const controller = new AbortController();
      let taken = 0;
      for await (const chunk of await repository.readBlob({ digest, size: 2 ** 40 }, controller.signal)) {
        taken += chunk.byteLength;
        if (taken > most) controller.abort();
      }
    }

    const verbs = {
      'a manifest': () => repository.readManifest(digest),
      'an error': () => repository.readManifest(parseTag('refused')),
      'a list of tags': () => all(repository.listTags()),
      'a catalogue': () => all(client.listRepositories()),
      'a list of referrers': () => all(repository.listReferrers(digest)),
      'a blob': readBlob,
      // Last: who was asked for a token once brings one from then on.
      'a token': () => client.ping(),
    };
    const before = memory();
    for (const [verb, work] of Object.entries(verbs)) {
      let peak = before;
      const sampling = setInterval(() => (peak = Math.max(peak, memory())), 2);
      const code = await work().then(() => 'none', (error) => error.code);
      peak = Math.max(peak, memory());
      clearInterval(sampling);
      console.log(JSON.stringify({ verb, code, growth: peak - before }));
    }
    client.close();
  `;
}

describe('bodies without end', () => {
  let server: ScriptedServer;
  const measured = new Map<string, Measured>();
  beforeAll(async () => {
    server = await startEndlessServer();
    const process = startTypeScript(reader(server.origin));
    while (measured.size < 7) {
      const one = (await process.nextLine()) as Measured;
      measured.set(one.verb, one);
    }
    await process.ended;
  }, 120_000);
  afterAll(() => server.stop());

  it.each([
    ['a manifest', 'manifest-too-large'],
    ['an error', 'protocol'],
    ['a list of tags', 'protocol'],
    ['a catalogue', 'protocol'],
    ['a list of referrers', 'protocol'],
    ['a token', 'protocol'],
    ['a blob', 'aborted'],
  ])('take no more memory than they may: %s, which is %s', (verb, code) => {
    expect(measured.get(verb)).toMatchObject({ code });
    expect(measured.get(verb)?.growth).toBeLessThan(mostGrowthBytes);
  });
});

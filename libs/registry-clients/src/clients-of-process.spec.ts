import { afterEach, describe, expect, it } from '@jest/globals';
import { parseRepositoryName } from '@waybill/oci-model';
import { type ScriptedServer, startScriptedServer } from '@waybill/testing';
import { clientsOfProcess } from './clients-of-process.js';

describe('clientsOfProcess', () => {
  let server: ScriptedServer | undefined;
  afterEach(() => server?.stop());

  it('logs each request that its clients make', async () => {
    server = await startScriptedServer((_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"tags":[]}'),
    );
    const lines: unknown[] = [];
    const clients = clientsOfProcess({ secrets: { prefix: 'WAYBILL_SECRET_' } }, { debug: (...line) => void lines.push(line) });
    const prod = {
      name: 'prod',
      role: 'prod',
      location: 'eu',
      insecure: false,
      url: server.origin,
      immutableTags: { kind: 'none' },
    } as const;

    for await (const _tag of clients.open(prod, undefined, 'read').repository(parseRepositoryName('team-a/app')).listTags()) continue;
    clients.close();

    expect(lines).toEqual([[expect.objectContaining({ method: 'GET', kind: 'tags', status: 200 }), 'registry request']]);
  });
});

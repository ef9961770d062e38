import { afterEach, describe, expect, it } from '@jest/globals';
import { Metrics } from '@waybill/observability';
import { parseRepositoryName } from '@waybill/oci-model';
import { type ScriptedServer, startScriptedServer } from '@waybill/testing';
import { clientsOfProcess } from './clients-of-process.js';

describe('clientsOfProcess', () => {
  let server: ScriptedServer | undefined;
  afterEach(() => server?.stop());

  it('logs and measures each request that its clients make', async () => {
    server = await startScriptedServer((_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"tags":[]}'),
    );
    const lines: unknown[] = [];
    const metrics = new Metrics();
    const clients = clientsOfProcess({ secrets: { prefix: 'WAYBILL_SECRET_' } }, { debug: (...line) => void lines.push(line) }, metrics);
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

    expect(lines).toEqual([[expect.objectContaining({ registry: 'prod', method: 'GET', kind: 'tags', status: 200 }), 'registry request']]);
    const text = await metrics.text();
    expect(text).toContain('waybill_registry_requests_total{registry="prod",kind="tags",answer="2xx"} 1\n');
    expect(text).toContain('waybill_registry_bytes_total{registry="prod",direction="received"} 11\n');
    expect(text).toContain('waybill_registry_request_seconds_count{registry="prod",kind="tags"} 1\n');
  });
});

import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EmbeddedError } from '../embedded-error.js';
import type { CollectedSpace } from '../registry/collect-garbage.js';
import type { CollectOptions, CollectionPhase } from '../registry/served-registry.js';
import type { LocalRegistryProcess } from '../registry/start-local-registry-process.js';
import { ControlClient } from './control-client.js';
import { maxRequestLength } from './control-protocol.js';
import { type ControlServer, serveControl } from './serve-control.js';

const figures: CollectedSpace = { bytesBefore: 10, bytesAfter: 4, blobs: 2, log: 'blob eligible\n' };
const never = new AbortController().signal;

/** A registry whose collections the spec ends. */
class HeldRegistry {
  readonly begun: CollectOptions[] = [];
  readonly ends: { readonly resolve: (space: CollectedSpace) => void; readonly reject: (error: Error) => void }[] = [];

  readonly process = {
    name: 'prod',
    url: 'http://127.0.0.1:5004',
    engine: 'docker-registry',
    collect: (options: CollectOptions) => {
      this.begun.push(options);
      options.onPhase?.('read-only');
      return new Promise<CollectedSpace>((resolve, reject) => this.ends.push({ resolve, reject }));
    },
  } as LocalRegistryProcess;
}

let folder: string;
let registry: HeldRegistry;
let server: ControlServer;
let client: ControlClient;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waybill-control-spec-'));
  registry = new HeldRegistry();
  server = await serveControl({ folder, registries: () => [registry.process] });
  client = new ControlClient(server.path);
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

interface Asked {
  readonly phases: CollectionPhase[];
  readonly end: Promise<CollectedSpace>;
  /** Resolves with the first phase. */
  readonly told: Promise<unknown>;
}

function ask({
  id = 'one',
  name = 'prod',
  signal = never,
}: { readonly id?: string; readonly name?: string; readonly signal?: AbortSignal } = {}): Asked {
  const phases: CollectionPhase[] = [];
  let tell = (): void => undefined;
  const told = new Promise<void>((resolve) => (tell = resolve));
  const onPhase = (phase: CollectionPhase): Promise<void> => {
    phases.push(phase);
    tell();
    return Promise.resolve();
  };
  return { phases, end: client.collect({ registry: name, id, isDryRun: false, onPhase, signal }), told };
}

describe('the control socket', () => {
  it('tells which registries run, to the same user only', async () => {
    expect(await client.registries()).toEqual([{ name: 'prod', url: 'http://127.0.0.1:5004', engine: 'docker-registry' }]);
    expect((await stat(server.path)).mode & 0o777).toBe(0o600);
  });

  it('collects, and tells each phase and the end', async () => {
    const asked = ask();
    await asked.told;
    registry.begun[0]?.onPhase?.('collecting');
    registry.ends[0]?.resolve(figures);

    expect(await asked.end).toEqual(figures);
    expect(asked.phases).toEqual(['read-only', 'collecting']);
    expect(registry.begun[0]).toMatchObject({ isDryRun: false });
  });

  it('lets who asks again wait for the same, also when it has ended since', async () => {
    const leave = new AbortController();
    const first = ask({ signal: leave.signal });
    await first.told;
    leave.abort();
    await expect(first.end).rejects.toMatchObject({ code: 'cancelled' });

    const second = ask();
    await second.told;
    registry.ends[0]?.resolve(figures);

    expect(await second.end).toEqual(figures);
    expect(await ask().end).toEqual(figures);
    expect(registry.begun).toHaveLength(1);
  });

  it('takes the same up anew when it has failed, and another one when it has ended', async () => {
    const first = ask();
    await first.told;
    registry.ends[0]?.reject(new EmbeddedError('it broke', { code: 'collection-failed', operation: 'collect prod' }));
    await expect(first.end).rejects.toMatchObject({ code: 'collection-failed', message: 'it broke', retryable: false });
    const again = ask();
    await again.told;
    registry.ends[1]?.resolve(figures);
    await again.end;

    const other = ask({ id: 'two' });
    await other.told;
    registry.ends[2]?.resolve({ ...figures, blobs: 0 });

    expect(await other.end).toMatchObject({ blobs: 0 });
  });

  it('refuses another one beside it, and one of a registry that is not here', async () => {
    const first = ask();
    await first.told;

    await expect(ask({ id: 'two' }).end).rejects.toMatchObject({ code: 'collection-busy', retryable: true });
    await expect(ask({ name: 'elsewhere' }).end).rejects.toMatchObject({ code: 'registry-unknown' });
    registry.ends[0]?.resolve(figures);
    expect(await first.end).toEqual(figures);
  });

  it.each<[string, string]>([
    ['nonsense', 'hello\n'],
    ['a verb that is unknown', '{"verb":"wipe","registry":"prod"}\n'],
    ['a request without its parts', '{"verb":"collect","registry":"prod"}\n'],
    ['more than any request', 'x'.repeat(maxRequestLength + 1)],
  ])('cuts a connection that sends %s, and does nothing', async (_what, text) => {
    const socket = connect({ path: server.path });
    let answered = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (answered += chunk));
    socket.on('error', () => undefined);
    socket.write(text);

    await new Promise((resolve) => socket.once('close', resolve));

    expect([answered, registry.begun]).toEqual(['', []]);
  });

  it('says that nobody answers when the supervisor is gone', async () => {
    const asked = ask();
    await asked.told;

    await server.close();

    await expect(asked.end).rejects.toMatchObject({ code: 'control-unreachable', retryable: true });
    await expect(client.registries()).rejects.toMatchObject({ code: 'control-unreachable', retryable: true });
  });

  it('takes the place of what a killed supervisor left, and stands elsewhere where the path is too long', async () => {
    await server.close();
    await writeFile(join(folder, 'control.sock'), '');
    server = await serveControl({ folder, registries: () => [] });
    expect(await new ControlClient(server.path).registries()).toEqual([]);
    const deep = join(folder, 'd'.repeat(120));
    await mkdir(deep);
    await chmod(deep, 0o700);

    const elsewhere = await serveControl({ folder: deep, registries: () => [registry.process] });

    expect(await new ControlClient(elsewhere.path).registries()).toHaveLength(1);
    await elsewhere.close();
    await expect(stat(elsewhere.path)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Clock } from '@waybill/kernel';
import { contentErrorOf, until } from '@waybill/testing';
import type { CredentialProvider } from './credentials.js';
import { dockerConfigCredentials } from './docker-config-credentials.js';
import { fileCredentials } from './file-credentials.js';
import { helperCredentials, type HelperCredentialsOptions } from './helper-credentials.js';

const auth = (pair: string): string => Buffer.from(pair).toString('base64');
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waybill-credentials-'));
  await mkdir(join(folder, 'bin'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A program `docker-credential-<name>` that does what the script says. */
async function installHelper(name: string, script: string): Promise<void> {
  const path = join(folder, 'bin', `docker-credential-${name}`);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
}

function environment(): Record<string, string> {
  return { PATH: `${join(folder, 'bin')}:/usr/bin:/bin`, FOLDER: folder };
}

/** Replaces a file as editors and mounted secrets do, so that it is always whole. */
async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

async function given(provider: CredentialProvider): Promise<unknown> {
  return (await provider.get())?.credentials;
}

describe('credentials in a file', () => {
  it('are read again when the file has changed', async () => {
    const path = join(folder, 'credentials');
    await writeFile(path, 'anna:open:sesame\n');
    const provider = fileCredentials(path);

    expect(await given(provider)).toEqual({ kind: 'basic', username: 'anna', password: 'open:sesame' });
    await replace(path, 'anna:shut');
    expect(await given(provider)).toEqual({ kind: 'basic', username: 'anna', password: 'shut' });
  });

  it.each(['sesame', ':sesame', 'sesame:', 'anna:sesame\nbob:sesame', ''])('are refused as %j, without a quote', async (text) => {
    const path = join(folder, 'credentials');
    await writeFile(path, text);

    const error = await contentErrorOf(fileCredentials(path).get());

    expect(error).toMatchObject({ code: 'unauthorized', retryable: false, operation: 'read credentials' });
    expect(error.message).not.toContain('sesame');
  });

  it('are missed with a word about the file', async () => {
    const error = await contentErrorOf(fileCredentials(join(folder, 'nowhere')).get());

    expect(error.message).toBe(`the file with credentials ${join(folder, 'nowhere')} cannot be read: ENOENT`);
  });
});

describe('a credential helper', () => {
  function helper(options: Partial<HelperCredentialsOptions> = {}): CredentialProvider {
    return helperCredentials({ helper: 'test', server: 'registry.example.com:5000', environment: environment(), ...options });
  }

  it('is told the server on its standard input', async () => {
    await installHelper('test', 'read server; echo "{\\"ServerURL\\":\\"x\\",\\"Username\\":\\"$1\\",\\"Secret\\":\\"of $server\\"}"');

    expect(await given(helper())).toEqual({ kind: 'basic', username: 'get', password: 'of registry.example.com:5000' });
  });

  it('gives an identity token under a name of its own', async () => {
    await installHelper('test', `echo '{"Username":"<token>","Secret":"refresh"}'`);

    expect(await given(helper())).toEqual({ kind: 'identity-token', token: 'refresh' });
  });

  it('may know nobody', async () => {
    await installHelper('test', 'echo "credentials not found in native keychain"; exit 1');

    expect(await helper().get()).toBeUndefined();
  });

  it('is asked once for many, again when its answer is old, and again when that is refused', async () => {
    await installHelper('test', `echo asked >> "$FOLDER/log"; echo '{"Username":"anna","Secret":"sesame"}'`);
    let now = 0;
    const clock: Clock = { now: () => new Date(now), monotonic: () => now };
    const provider = helper({ clock, keepMs: 1_000 });
    const asked = async (): Promise<number> => (await readFile(join(folder, 'log'), 'utf8')).split('\n').length - 1;

    await Promise.all([provider.get(), provider.get(), provider.get()]);
    expect(await asked()).toBe(1);
    now = 1_001;
    await provider.get();
    expect(await asked()).toBe(2);
    provider.forget();
    await provider.get();
    expect(await asked()).toBe(3);
  });

  it.each([
    ['fails', 'echo sesame; echo sesame >&2; exit 3', /failed for registry\.example\.com:5000: run "docker-credential-test get"/],
    ['prints what is no JSON', 'echo sesame', /gave no credentials of the known form/],
    ['prints something else', `echo '{"Username":"anna","Password":"sesame"}'`, /gave no credentials of the known form/],
    ['prints without end', 'yes sesame', /gives more than credentials can be/],
  ])('that %s is reported without a quote', async (_what, script, message) => {
    await installHelper('test', script);

    const error = await contentErrorOf(helper().get());

    expect(error).toMatchObject({ code: 'unauthorized', retryable: false });
    expect(error.message).toMatch(message);
    expect(inspect(error, { depth: 9 })).not.toContain('sesame');
  });

  it('that is not there is missed by its name', async () => {
    const error = await contentErrorOf(helper().get());

    expect(error).toMatchObject({ code: 'unauthorized', retryable: false });
    expect(error.message).toBe('docker-credential-test cannot be run: is it installed on the PATH?');
  });

  it.each(['../test', 'a b', 'a;b', '', '$(id)', 'x'.repeat(65)])('of the name %j is not run', async (name) => {
    expect((await contentErrorOf(helper({ helper: name }).get())).message).toMatch(/is no name of a credential helper$/);
  });

  it.each([
    ['does not end', 'wait'],
    ['leaves its output to what it started', 'exit 0'],
  ])('that %s is ended, with what it started', async (_what, end) => {
    await installHelper('test', `sleep 600 & echo $! > "$FOLDER/child"; ${end}`);

    const error = await contentErrorOf(helper({ timeoutMs: 500 }).get());

    expect(error).toMatchObject({ code: 'unauthorized', retryable: true });
    const child = Number(await readFile(join(folder, 'child'), 'utf8'));
    await until('its child is gone', () => isGone(child));
  });

  it('is ended when nobody waits for it any more', async () => {
    await installHelper('test', 'echo $$ > "$FOLDER/self"; sleep 600');
    const controller = new AbortController();
    const asked = contentErrorOf(helper().get(controller.signal));
    await until('it runs', async () => (await readFile(join(folder, 'self'), 'utf8').catch(() => '')) !== '');
    const self = Number(await readFile(join(folder, 'self'), 'utf8'));

    controller.abort();

    expect(await asked).toMatchObject({ code: 'aborted', operation: 'read credentials' });
    await until('it is gone', () => isGone(self));
  });
});

describe('credentials in a Docker configuration', () => {
  it('come from its helper, and from the file where that knows nothing', async () => {
    const path = join(folder, 'config.json');
    const config = {
      credHelpers: { 'a.example.com': 'known', 'b.example.com': 'unknown' },
      auths: { 'b.example.com': { auth: auth('bob:pw') } },
    };
    await writeFile(path, JSON.stringify(config));
    await installHelper('known', `echo '{"Username":"anna","Secret":"sesame"}'`);
    await installHelper('unknown', 'echo "credentials not found in native keychain"; exit 1');
    const of = (host: string): CredentialProvider =>
      dockerConfigCredentials({ config: path, host, helpers: { environment: environment() } });

    expect(await given(of('a.example.com'))).toMatchObject({ username: 'anna' });
    expect(await given(of('b.example.com'))).toMatchObject({ username: 'bob' });
    expect(await of('c.example.com').get()).toBeUndefined();
  });

  it('are read again when the file has changed', async () => {
    const path = join(folder, 'config.json');
    await writeFile(path, JSON.stringify({ auths: { 'a.example.com': { auth: auth('anna:old') } } }));
    const provider = dockerConfigCredentials({ config: path, host: 'a.example.com' });

    expect(await given(provider)).toMatchObject({ password: 'old' });
    await replace(path, JSON.stringify({ auths: { 'a.example.com': { auth: auth('anna:renewed') } } }));
    expect(await given(provider)).toMatchObject({ password: 'renewed' });
  });

  it('may come from elsewhere than a file', async () => {
    const config = { read: async () => JSON.stringify({ auths: { 'a.example.com': { identitytoken: 'refresh' } } }) };

    expect(await given(dockerConfigCredentials({ config, host: 'a.example.com' }))).toEqual({ kind: 'identity-token', token: 'refresh' });
  });
});

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

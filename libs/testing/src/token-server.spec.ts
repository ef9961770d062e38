import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type RunningRegistry, startDockerRegistry } from './docker-registry.js';
import { describeWith, findServer } from './needs.js';
import { startTokenServer, type TokenServer, type TokenServerOptions } from './token-server.js';

const users = { anna: 'open sesame' };
const basic = { authorization: `Basic ${Buffer.from('anna:open sesame').toString('base64')}` };

interface Answer {
  readonly status: number;
  readonly body: { readonly token?: string; readonly scope?: string; readonly refresh_token?: string; readonly expires_in?: number };
}

describe('the token server', () => {
  const running: TokenServer[] = [];
  afterEach(async () => {
    for (const server of running.splice(0)) await server.stop();
  });

  async function start(options: TokenServerOptions = { users }): Promise<TokenServer> {
    const server = await startTokenServer(options);
    running.push(server);
    return server;
  }
  async function ask(server: TokenServer, query: string, init: RequestInit = {}): Promise<Answer> {
    const answer = await fetch(`${server.auth.realm}?${query}`, init);
    return { status: answer.status, body: (await answer.json()) as Answer['body'] };
  }
  async function post(server: TokenServer, form: Record<string, string>): Promise<Answer> {
    return await ask(server, '', { method: 'POST', body: new URLSearchParams(form) });
  }

  it('grants what is allowed of what is asked for, and no less than an answer', async () => {
    const server = await start({
      users,
      allows: (user, resource, action) => user === 'anna' && resource !== 'repository:b' && action === 'pull',
    });

    const some = await ask(server, 'scope=repository:a:pull,push&scope=repository:b:pull', { headers: basic });
    const none = await ask(server, 'scope=repository:a:pull');

    expect(some).toMatchObject({ status: 200, body: { scope: 'repository:a:pull', expires_in: 300 } });
    expect(none).toMatchObject({ status: 200, body: { scope: '' } });
    expect(server.requests).toMatchObject([
      { user: 'anna', scopes: ['repository:a:pull,push', 'repository:b:pull'], granted: ['repository:a:pull'] },
      { user: undefined, granted: [] },
    ]);
  });

  it('gives an identity token to who asks for one, and tokens for it', async () => {
    const server = await start();

    const login = await post(server, { grant_type: 'password', username: 'anna', password: 'open sesame', access_type: 'offline' });
    const refresh_token = login.body.refresh_token ?? '';
    const later = await post(server, { grant_type: 'refresh_token', refresh_token, scope: 'repository:a:pull repository:b:push' });

    expect(later).toMatchObject({ status: 200, body: { scope: 'repository:a:pull repository:b:push' } });
    expect(server.requests.at(-1)).toMatchObject({ method: 'POST', user: 'anna' });
  });

  it.each([
    ['a wrong password', { grant_type: 'password', username: 'anna', password: 'shut sesame' }],
    ['a stranger', { grant_type: 'password', username: 'bob', password: 'open sesame' }],
    ['an unknown identity token', { grant_type: 'refresh_token', refresh_token: 'made up' }],
  ])('refuses %s', async (_what, form) => {
    expect((await post(await start(), form)).status).toBe(401);
  });

  it('can do less, and something else instead', async () => {
    const server = await start({ users, methods: ['POST'] });

    expect((await ask(server, '')).status).toBe(405);
    server.change({ instead: (_asked, response) => response.writeHead(503).end('{}') });
    expect((await post(server, {})).status).toBe(503);
  });
});

describeWith(['docker-registry', 'skopeo'], 'a token of the token server', () => {
  let tokens: TokenServer;
  let registry: RunningRegistry;
  beforeAll(async () => {
    tokens = await startTokenServer({ users });
    registry = await startDockerRegistry({ token: tokens.auth });
  });
  afterAll(async () => {
    await registry.stop();
    await tokens.stop();
  });

  async function listTags(password: string): Promise<unknown> {
    const image = `docker://127.0.0.1:${registry.port}/team/app`;
    return await promisify(execFile)(findServer('skopeo')?.path ?? '', [
      'list-tags',
      '--tls-verify=false',
      `--creds=anna:${password}`,
      image,
    ]);
  }

  it('lets skopeo into Distribution, and the wrong password does not', async () => {
    // That the repository is not there is told only to somebody who was let in.
    await expect(listTags('open sesame')).rejects.toThrow(/404|name unknown/i);
    await expect(listTags('shut sesame')).rejects.toThrow(/unauthorized|authentication/);

    expect(tokens.requests.map(({ user, status }) => [user, status])).toContainEqual(['anna', 200]);
  });
});

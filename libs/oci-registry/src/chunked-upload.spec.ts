import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { type BlobRef, digestOf } from '@waybill/oci-model';
import { contentErrorOf, randomBytes, sample, type Script, scriptedRegistries, type SeenRequest, streamOf } from '@waybill/testing';

const { app } = sample;
const bytes = randomBytes(250, 'in chunks');
const blob: BlobRef = { digest: digestOf(bytes), size: bytes.byteLength };
const opened = `/v2/${app}/blobs/uploads/`;
const closed = `digest=${encodeURIComponent(blob.digest)}`;

/** A registry that takes chunks: its session has a new address after each, as Distribution's. */
class ChunkTaker {
  stored = Buffer.alloc(0);
  #step = 0;

  /** `odd` answers a request in its own way; what it leaves is answered well. */
  constructor(
    readonly odd: (request: SeenRequest, taker: ChunkTaker, body: Buffer) => AnswerHead | undefined = () => undefined,
    readonly first: Readonly<Record<string, string>> = {},
  ) {}

  get address(): string {
    return `/u/${this.#step}?_state=s${this.#step}`;
  }

  /** What it says after it took `part`. */
  take(part: Buffer): AnswerHead {
    this.stored = Buffer.concat([this.stored, part]);
    this.#step += 1;
    return { status: 202, headers: { location: this.address, range: `0-${Math.max(0, this.stored.byteLength - 1)}` } };
  }

  readonly script: Script = async (request, response) => {
    const body = await buffer(request);
    const { method = '', url = '', headers } = request;
    const { status, headers: said } = this.odd({ method, url, headers }, this, body) ?? this.#answer(method, body);
    response.writeHead(status, said).end();
  };

  #answer(method: string, body: Buffer): AnswerHead {
    const range = `0-${Math.max(0, this.stored.byteLength - 1)}`;
    switch (method) {
      case 'POST':
        return { status: 202, headers: { location: this.address, ...this.first } };
      case 'PATCH':
        return this.take(body);
      case 'GET':
        return { status: 204, headers: { location: this.address, range } };
      case 'PUT':
        return { status: 201, headers: { 'docker-content-digest': digestOf(this.stored) } };
      default:
        return { status: 204, headers: {} };
    }
  }
}

interface AnswerHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

const bare = (status: number): AnswerHead => ({ status, headers: {} });

/** Gives the answers one after another to requests of that method; then it has nothing odd left. */
function inTurn(method: string, ...answers: readonly ((taker: ChunkTaker, body: Buffer) => AnswerHead | undefined)[]): ChunkTaker['odd'] {
  const left = [...answers];
  return (request, taker, body) => (request.method === method ? left.shift()?.(taker, body) : undefined);
}

describe('an upload in chunks', () => {
  const registries = scriptedRegistries();
  const inChunks = { uploads: 'chunked', chunkBytes: 100 } as const;

  it('says where each chunk belongs, follows the session and closes it', async () => {
    const taker = new ChunkTaker();
    const { server, repository } = await registries.start(taker.script, inChunks);

    await repository.pushBlob(blob, streamOf(bytes));

    expect(server.requests.map(({ method, url, headers }) => [method, url, headers['content-range'], headers['content-length']])).toEqual([
      ['POST', opened, undefined, '0'],
      ['PATCH', '/u/0?_state=s0', '0-99', '100'],
      ['PATCH', '/u/1?_state=s1', '100-199', '100'],
      ['PATCH', '/u/2?_state=s2', '200-249', '50'],
      ['PUT', `/u/3?_state=s3&${closed}`, undefined, '0'],
    ]);
    expect(taker.stored.equals(bytes)).toBe(true);
  });

  it('cuts content by its own measure, however it comes', async () => {
    const taker = new ChunkTaker();
    const { server, repository } = await registries.start(taker.script, inChunks);
    const pieces = Array.from({ length: 50 }, (_, index) => bytes.subarray(index * 5, index * 5 + 5));

    await repository.pushBlob(blob, Readable.from(pieces, { objectMode: false }));

    expect(server.requests.filter(({ method }) => method === 'PATCH')).toHaveLength(3);
    expect(taker.stored.equals(bytes)).toBe(true);
  });

  it('sends no chunk of the empty blob', async () => {
    const { server, repository } = await registries.start(new ChunkTaker().script, inChunks);

    await repository.pushBlob({ digest: digestOf(Buffer.alloc(0)), size: 0 }, Readable.from([]));

    expect(server.requests.map(({ method }) => method)).toEqual(['POST', 'PUT']);
  });

  it('makes chunks as large as the registry asks for', async () => {
    const taker = new ChunkTaker(undefined, { 'oci-chunk-min-length': '240' });
    const { server, repository } = await registries.start(taker.script, inChunks);

    await repository.pushBlob(blob, streamOf(bytes));

    expect(server.requests.flatMap(({ headers }) => headers['content-range'] ?? [])).toEqual(['0-239', '240-249']);
  });

  it('holds no chunk of a size that is absurd', async () => {
    const taker = new ChunkTaker(undefined, { 'oci-chunk-min-length': '999999999999' });
    const { server, repository } = await registries.start(taker.script, inChunks);

    expect((await contentErrorOf(repository.pushBlob(blob, streamOf(bytes)))).code).toBe('unsupported');
    expect(server.requests.map(({ method }) => method)).toEqual(['POST', 'DELETE']);
  });

  const setbacks: readonly (readonly [string, ChunkTaker['odd'], readonly string[]])[] = [
    [
      'took nothing of a chunk',
      inTurn(
        'PATCH',
        () => undefined,
        () => bare(503),
      ),
      ['0-99', '100-199', '100-199', '200-249'],
    ],
    [
      'took a chunk and failed to say so',
      inTurn(
        'PATCH',
        () => undefined,
        (taker, body) => ({ ...taker.take(body), status: 500 }),
      ),
      ['0-99', '100-199', '200-249'],
    ],
    [
      'took a part of a chunk before it failed',
      inTurn(
        'PATCH',
        () => undefined,
        (taker, body) => ({ ...taker.take(body.subarray(0, 30)), status: 502 }),
      ),
      ['0-99', '100-199', '130-199', '200-249'],
    ],
    [
      'took a part of a chunk and says so',
      inTurn('PATCH', (taker, body) => taker.take(body.subarray(0, 60))),
      ['0-99', '60-99', '100-199', '200-249'],
    ],
    ['took nothing of the first chunk', inTurn('PATCH', () => bare(429)), ['0-99', '0-99', '100-199', '200-249']],
    ['finds a chunk out of order', inTurn('PATCH', () => bare(416)), ['0-99', '0-99', '100-199', '200-249']],
  ];

  it.each(setbacks)('goes on where it was when the registry %s', async (_title, odd, ranges) => {
    const taker = new ChunkTaker(odd);
    const { server, repository } = await registries.start(taker.script, { ...inChunks, retries: 2 });

    await repository.pushBlob(blob, streamOf(bytes));

    expect(server.requests.flatMap(({ headers }) => headers['content-range'] ?? [])).toEqual(ranges);
    expect(taker.stored.equals(bytes)).toBe(true);
  });

  const failures: readonly (readonly [string, string, ChunkTaker['odd']])[] = [
    ['a session that died', 'upload-invalid, to be retried', (request) => (/PATCH|GET/.test(request.method) ? bare(404) : undefined)],
    ['a session that forgot what it took', 'upload-invalid, to be retried', forgetful()],
    ['a registry that never recovers', 'unavailable, to be retried', (request) => (request.method === 'PATCH' ? bare(503) : undefined)],
    ['a registry that is further than we are', 'protocol', inTurn('PATCH', (taker) => ({ ...taker.take(bytes), status: 202 }))],
    [
      'a registry that never gets further',
      'protocol',
      inTurn('PATCH', (taker) => ({ status: 202, headers: { location: taker.address, range: '0-0' } })),
    ],
    ['a chunk whose session has no new address', 'protocol', inTurn('PATCH', () => bare(202))],
    [
      'a session led to a forbidden address',
      'protocol',
      inTurn('PATCH', () => ({ status: 202, headers: { location: 'http://169.254.169.254/' } })),
    ],
    ['a status without a range', 'protocol', statusWithoutRange()],
    ['a chunk that is refused', 'denied', inTurn('PATCH', () => bare(403))],
    ['a chunk that is too large as well', 'unsupported', inTurn('PATCH', () => bare(413))],
    [
      'another blob at the end',
      'digest-mismatch',
      inTurn('PUT', () => ({ status: 201, headers: { 'docker-content-digest': sample.blob.digest } })),
    ],
  ];

  it.each(failures)('ends on %s with %s, and gives the session back', async (_title, outcome, odd) => {
    const { server, repository } = await registries.start(new ChunkTaker(odd).script, { ...inChunks, retries: 1 });

    const error = await contentErrorOf(repository.pushBlob(blob, streamOf(bytes)));

    expect(`${error.code}${error.retryable ? ', to be retried' : ''}`).toBe(outcome);
    expect(JSON.stringify(error) + error.message).not.toContain('_state');
    expect(server.requests.at(-1)).toMatchObject({ method: 'DELETE', url: expect.stringMatching(/^\/u\/\d\?_state=/) });
  });

  it('gives back the session at its latest address when the content breaks, and sends nothing after', async () => {
    const { server, repository } = await registries.start(new ChunkTaker().script, inChunks);
    const content = Readable.from(
      (async function* () {
        yield bytes;
        await new Promise((resolve) => setImmediate(resolve));
        throw new Error('the source broke after its last byte');
      })(),
      { objectMode: false },
    );

    const error = await contentErrorOf(repository.pushBlob(blob, content));

    expect(error.message).toContain('the source broke');
    expect(server.requests.at(-1)).toMatchObject({ method: 'DELETE' });
    expect(server.requests.map(({ method }) => method)).not.toContain('PUT');
  });

  it('is aborted while it waits for content', async () => {
    const { server, repository } = await registries.start(new ChunkTaker().script, inChunks);
    const controller = new AbortController();
    const content = new Readable({ read: () => setImmediate(() => controller.abort()) });
    content.push(bytes.subarray(0, 150));

    expect((await contentErrorOf(repository.pushBlob(blob, content, { signal: controller.signal }))).code).toBe('aborted');
    expect(content.destroyed).toBe(true);
    expect(server.requests.at(-1)?.method).not.toBe('PUT');
  });
});

describe('a blob that is too large for one request', () => {
  const registries = scriptedRegistries();
  const oneRequestOnly: ChunkTaker['odd'] = (request) =>
    request.method === 'PUT' && request.headers['content-length'] !== '0' ? bare(413) : undefined;

  it('goes in chunks when it is pushed again', async () => {
    const taker = new ChunkTaker(oneRequestOnly);
    const { server, repository } = await registries.start(taker.script, { chunkBytes: 100 });

    const error = await contentErrorOf(repository.pushBlob(blob, streamOf(bytes)));
    await repository.pushBlob(blob, streamOf(bytes));

    expect(error).toMatchObject({
      code: 'unsupported',
      retryable: true,
      status: 413,
      message: expect.stringContaining('chunks from now on'),
    });
    expect(server.requests.map(({ method }) => method)).toEqual(['POST', 'PUT', 'DELETE', 'POST', 'PATCH', 'PATCH', 'PATCH', 'PUT']);
    expect(taker.stored.equals(bytes)).toBe(true);
  });

  it('goes in chunks when it is pushed again, also when others were refused at the same time', async () => {
    const refusals: (() => void)[] = [];
    const { repository } = await registries.start((request, response) => {
      request.resume();
      if (request.method === 'POST') return response.writeHead(202, { location: '/u/1' }).end();
      if (request.method === 'DELETE') return response.writeHead(204).end();
      refusals.push(() => response.writeHead(413).end());
      if (refusals.length === 2) for (const refuse of refusals) refuse();
      return undefined;
    });
    const push = () => contentErrorOf(repository.pushBlob(blob, streamOf(bytes)));

    const errors = await Promise.all([push(), push()]);

    for (const error of errors) expect(error).toMatchObject({ status: 413, retryable: true });
  });

  it('does not go at all where chunks are known not to be taken', async () => {
    const { server, repository } = await registries.start(new ChunkTaker(oneRequestOnly).script, {
      uploads: 'chunked',
      capabilities: { chunkedUpload: false },
    });

    expect(await contentErrorOf(repository.pushBlob(blob, streamOf(bytes)))).toMatchObject({ code: 'unsupported', retryable: false });
    expect(server.requests.map(({ method }) => method)).toEqual(['POST', 'PUT', 'DELETE']);
  });
});

function forgetful(): ChunkTaker['odd'] {
  return (request, taker) => {
    if (request.method === 'GET') taker.stored = Buffer.alloc(0);
    return request.method === 'PATCH' && taker.stored.byteLength > 0 ? bare(500) : undefined;
  };
}

function statusWithoutRange(): ChunkTaker['odd'] {
  return (request) => {
    if (request.method === 'PATCH') return bare(500);
    return request.method === 'GET' ? bare(204) : undefined;
  };
}

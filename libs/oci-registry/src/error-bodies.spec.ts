import { describe, expect, it } from '@jest/globals';
import { contentErrorOf, sample, scriptedRegistries } from '@waybill/testing';

const { latest } = sample;

describe('error bodies', () => {
  const registries = scriptedRegistries();

  it('are read to 64 KiB and no further', async () => {
    let written = 0;
    const { repository } = await registries.start((_request, response) => {
      response.writeHead(400);
      const more = (): void => {
        written += 16 * 1024;
        if (!response.destroyed) response.write(Buffer.alloc(16 * 1024, 'x'), more);
      };
      more();
    });

    const error = await contentErrorOf(repository.readManifest(latest));

    expect(error).toMatchObject({ code: 'protocol', registryErrors: [] });
    expect(JSON.stringify(error).length).toBeLessThan(2000);
    expect(written).toBeLessThan(50 * 1024 * 1024);
  });

  it('that break off take nothing from the status', async () => {
    const { repository } = await registries.start((_request, response) => {
      response.writeHead(403, { 'content-length': 1000 }).write('{"errors":[', () => response.destroy());
    });

    expect((await contentErrorOf(repository.readManifest(latest))).code).toBe('denied');
  });
});

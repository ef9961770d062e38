import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { recallApiAddress, rememberApiAddress } from './api-address.js';

describe('the address of a data folder', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'waybill-address-'));
  });

  afterEach(() => rm(folder, { recursive: true }));

  it('is recalled as it was remembered', async () => {
    await rememberApiAddress(folder, 'http://127.0.0.1:8123');

    expect(recallApiAddress(folder)).toEqual({ url: 'http://127.0.0.1:8123', port: 8123 });
  });

  it('is unknown before the first start', () => {
    expect(recallApiAddress(folder)).toBeUndefined();
  });

  it.each(['http://example.com:8080', 'https://127.0.0.1:1', 'nothing'])('is not taken from a file that says %s', async (text) => {
    await writeFile(join(folder, 'api.url'), text);

    expect(recallApiAddress(folder)).toBeUndefined();
  });
});

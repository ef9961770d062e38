import { describe, expect, it } from '@jest/globals';
import { PromotionError } from '../promotion-error.js';
import { tagRun } from './fake-run.spec-helper.js';
import type { ContentCopier } from './ports.js';
import { lost, type Scene, write } from './writing-tag.spec-helper.js';

describe('writeTag and the lease of the tag', () => {
  const refusesLate = () => Promise.reject(new PromotionError('the tag is taken', { code: 'lease-lost', operation: 'test' }));

  it.each<[string, Scene]>([
    ['the tag could not be read', { copier: { resolveTargetTag: () => Promise.reject(lost()) } }],
    ['the intent could not be recorded', { journal: { intendTag: () => Promise.reject(new Error('the database is down')) } }],
    ['the intent came too late', { journal: { intendTag: refusesLate } }],
  ])('gives it up when %s, because nothing was sent', async (_name, scene) => {
    const { reason, fake } = await write(tagRun(), scene);

    expect(reason).toBeInstanceOf(Error);
    expect(fake.logOf('releaseTag', 'putTargetTag')).toEqual(['releaseTag prod 1.0.0']);
  });

  it('fails as the tag did when the lease cannot be given up either', async () => {
    const { reason } = await write(tagRun(), {
      copier: { resolveTargetTag: () => Promise.reject(lost()) },
      journal: { releaseTag: () => Promise.reject(new Error('the database is down')) },
    });

    expect(reason).toMatchObject({ code: 'unreachable' });
  });

  it.each<[string, Partial<ContentCopier>]>([
    ['the answer was lost', { putTargetTag: () => Promise.reject(lost()) }],
    ['the registry shows nothing of it', { putTargetTag: () => Promise.resolve() }],
  ])('keeps it when %s, because the write may still land', async (_name, copier) => {
    const { reason, fake } = await write(tagRun(), { copier });

    expect(reason).toBeInstanceOf(Error);
    expect(fake.logOf('releaseTag')).toEqual([]);
  });
});

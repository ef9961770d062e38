import { describe, expect, it } from '@jest/globals';
import { PromotionError } from '../promotion-error.js';
import type { Outcome } from '../states.js';
import { type EndedTarget, targetsToRetry } from './targets-to-retry.js';

function target(id: string, outcome: Outcome | undefined, facts: Partial<EndedTarget> = {}): EndedTarget {
  const state = outcome === undefined ? 'pending' : 'done';
  return { id, registry: id, state, outcome, follows: undefined, replaced: undefined, ...facts };
}

const chosen = (...targets: readonly EndedTarget[]) => targetsToRetry(targets).map(({ id }) => id);

function refusalOf(...targets: readonly EndedTarget[]): PromotionError {
  try {
    targetsToRetry(targets);
  } catch (error) {
    if (error instanceof PromotionError) return error;
  }
  throw new Error('nothing was refused');
}

describe('targetsToRetry', () => {
  it.each<[Outcome]>([['failed'], ['cancelled']])('takes what ended %s', (outcome) => {
    expect(chosen(target('prod', outcome), target('prod-b', 'copied'))).toEqual(['prod']);
  });

  it.each<[Outcome]>([['copied'], ['mounted'], ['already-present'], ['superseded'], ['conflict']])('leaves what ended %s', (outcome) => {
    expect(refusalOf(target('prod', outcome))).toMatchObject({ code: 'nothing-to-retry' });
  });

  it('says that a conflict needs a new request', () => {
    const { message } = refusalOf(target('prod', 'conflict'), target('prod-b', 'copied'));

    expect(message).toMatch(/conflict at prod .*request a new promotion/);
  });

  it('takes a replica together with its prod', () => {
    expect(chosen(target('prod', 'failed'), target('prod-us', 'failed', { follows: 'prod' }))).toEqual(['prod', 'prod-us']);
  });

  it.each<[Outcome | undefined]>([['copied'], ['mounted'], ['already-present'], [undefined]])(
    'takes a replica alone whose prod ended %s',
    (outcome) => {
      expect(chosen(target('prod', outcome), target('prod-us', 'failed', { follows: 'prod' }))).toEqual(['prod-us']);
    },
  );

  it.each<[Outcome]>([['conflict'], ['superseded']])('leaves a replica whose prod ended %s', (outcome) => {
    expect(refusalOf(target('prod', outcome), target('prod-us', 'failed', { follows: 'prod' }))).toMatchObject({
      code: 'nothing-to-retry',
    });
  });

  it('leaves what a registry took the place of, and its replicas, and tries the rest again', () => {
    const targets = [
      target('prod', 'failed', { replaced: 'prod' }),
      target('prod-us', 'failed', { follows: 'prod' }),
      target('prod-b', 'cancelled'),
    ];

    expect(chosen(...targets)).toEqual(['prod-b']);
  });

  it('names the registries that were replaced when there is nothing else', () => {
    const error = refusalOf(
      target('prod', 'failed', { replaced: 'ci' }),
      target('prod-b', 'failed', { replaced: 'ci' }),
      target('prod-c', 'copied'),
    );

    expect(error).toMatchObject({ code: 'registry-replaced', details: { registries: ['ci'] } });
  });
});

import { describe, expect, it } from '@jest/globals';
import { GoToolError } from '../go-tools/install.mjs';
import { programs } from '../go-tools/programs.mjs';
import { stateOf } from './go-programs.mjs';

const refusal = () => Promise.reject(new GoToolError('reading https://proxy.example/zot/@v/v2.info: 403 Forbidden'));

describe('what the tests are told of a program in Go', () => {
  it.each([
    ['where it is', {}, () => Promise.resolve('/tools/crane'), { path: '/tools/crane', version: 'v1.2.3' }],
    ['that there is no Go', {}, () => Promise.resolve(undefined), { missing: 'no Go on this machine', isExcused: false }],
    ['that it did not build', {}, refusal, { missing: 'it could not be built', isExcused: false }],
    ['that a proxy may keep it back', { mayBeRefused: 'kept back' }, refusal, { missing: 'kept back', isExcused: true }],
    [
      'that it did not build, whatever a proxy may do',
      { mayBeRefused: 'kept back' },
      () => Promise.reject(new GoToolError('undefined: os.Fork')),
      { missing: 'it could not be built', isExcused: false },
    ],
  ])('is %s', async (_title, options, build, state) => {
    const notes: string[] = [];

    const told = await stateOf({ version: 'v1.2.3', ...options }, build, { note: (line) => notes.push(line) });

    expect(told).toEqual(state);
    expect(notes).toHaveLength('missing' in state && !state.missing.startsWith('no Go') ? 1 : 0);
  });

  it('hides no failure that is not one', async () => {
    const build = () => Promise.reject(new TypeError('a mistake of ours'));

    await expect(stateOf({ version: 'v1.2.3' }, build, { note: () => undefined })).rejects.toThrow('a mistake of ours');
  });
});

describe('the programs in Go', () => {
  it.each(Object.entries(programs))('name one version of %s, under the name it is asked for', (name, program) => {
    expect(program.name).toBe(name);
    expect(program.version).toMatch(/^v\d+\.\d+\.\d+$/);
  });
});

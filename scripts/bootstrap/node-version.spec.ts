import { describe, expect, it } from '@jest/globals';
import { nodeVersionProblem } from './node-version.mjs';

describe('nodeVersionProblem', () => {
  it.each(['20.19.0', '20.20.2', '22.12.0', '24.0.0', '100.0.0'])('accepts %s', (version) => {
    expect(nodeVersionProblem(version)).toBeUndefined();
  });

  it.each(['8.17.0', '18.20.8', '20.18.3'])('refuses %s and says which to install', (version) => {
    expect(nodeVersionProblem(version)).toMatch(new RegExp(`this is ${version}.*Install Node 24`));
  });
});

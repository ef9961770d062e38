import { describe, expect, it } from '@jest/globals';
import { adviceFor, classifyNpmFailure, isWorthInstall } from './npm-failure.mjs';

const outputs = {
  'missing-binaries': [
    'npm error code E404\nnpm error 404 Not Found - GET https://registry.example/@swc/core-win32-x64-msvc/-/core-win32-x64-msvc-1.16.22.tgz',
    'npm error code ETARGET\nnpm error notarget No matching version found for @swc/core-darwin-arm64@1.16.22.',
  ],
  'lockfile-out-of-step': [
    'npm error code EUSAGE\nnpm error\nnpm error `npm ci` can only install packages when your package.json and package-lock.json or npm-shrinkwrap.json are in sync.',
  ],
  offline: [
    'npm error code ENOTFOUND\nnpm error network request to https://registry.example/zod failed, reason: getaddrinfo ENOTFOUND registry.example',
    'npm error code EAI_AGAIN',
    'npm error code ECONNREFUSED',
    'npm error code ENOTCACHED\nnpm error request to https://registry.example/zod failed: cache mode is only-if-cached',
  ],
  'cache-not-writable': [
    'npm error code EACCES\nnpm error syscall mkdir\nnpm error path /root/.npm/_cacache/tmp',
    'npm error code EPERM\nnpm error Your cache folder contains root-owned files',
  ],
  'no-space': ['npm error code ENOSPC\nnpm error nospc ENOSPC: no space left on device, write'],
  'not-found': ['Error: spawn npm ENOENT'],
  other: ['npm error code EINTEGRITY\nnpm error sha512-… integrity checksum failed', ''],
} as const;

describe('classifyNpmFailure', () => {
  const cases = Object.entries(outputs).flatMap(([failure, texts]) => texts.map((text) => [failure, text] as const));

  it.each(cases)('recognises %s', (failure, output) => {
    expect(classifyNpmFailure(output)).toBe(failure);
  });

  it('has advice for every kind', () => {
    expect(Object.keys(adviceFor).sort()).toEqual(Object.keys(outputs).sort());
  });
});

describe('isWorthInstall', () => {
  it('tries `npm install` only where the lockfile and the registry disagree', () => {
    const worth = (Object.keys(outputs) as (keyof typeof outputs)[]).filter(isWorthInstall);

    expect(worth).toEqual(['missing-binaries', 'lockfile-out-of-step']);
  });
});

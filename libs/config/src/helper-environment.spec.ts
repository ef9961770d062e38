import { describe, expect, it } from '@jest/globals';
import { helperEnvironment } from './helper-environment.js';

describe('helperEnvironment', () => {
  it('hands on what others understand, and nothing of ours', () => {
    const env = {
      PATH: '/usr/bin',
      AWS_PROFILE: 'prod',
      HTTPS_PROXY: 'http://proxy:3128',
      EMPTY: '',
      DATABASE_URL: 'postgresql://owner:password@db/waybill',
      REDIS_URL: 'redis://:password@redis',
      WAYBILL_ADMIN_KEY: 'a key',
      WAYBILL_SECRET_PROD_WRITE: 'user:password',
      GONE: undefined,
    };

    expect(helperEnvironment(env)).toEqual({ PATH: '/usr/bin', AWS_PROFILE: 'prod', HTTPS_PROXY: 'http://proxy:3128', EMPTY: '' });
  });
});

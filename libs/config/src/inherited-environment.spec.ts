import { describe, expect, it } from '@jest/globals';
import { inheritedEnvironment } from './inherited-environment.js';

describe('inheritedEnvironment', () => {
  it('hands on what servers read and named secrets, and nothing else', () => {
    const env = {
      DATABASE_URL: 'postgresql://db/waybill',
      WAYBILL_SECRET_PROD_WRITE: 'user:secret',
      WAYBILL_LOG_LEVEL: '',
      WAYBILL_API_KEY: 'of the command line',
      AWS_SECRET_ACCESS_KEY: 'somebody else’s',
    };

    expect(inheritedEnvironment(env)).toEqual({ DATABASE_URL: 'postgresql://db/waybill', WAYBILL_SECRET_PROD_WRITE: 'user:secret' });
  });

  it('hands on the proxies, which servers use when a topology says so', () => {
    const env = { https_proxy: 'http://a', HTTP_PROXY: 'http://b', NO_PROXY: 'c', ALL_PROXY: 'socks5://d' };

    expect(inheritedEnvironment(env)).toEqual({ https_proxy: 'http://a', HTTP_PROXY: 'http://b', NO_PROXY: 'c' });
  });
});

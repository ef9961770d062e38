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
});

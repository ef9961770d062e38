import base from './jest.config.mjs';

/** The interoperability suite alone: `npm run test:interop`. Its tests start many servers and run other people's clients. */
export default {
  ...base,
  roots: ['<rootDir>/test/interop'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  testTimeout: 120_000,
};

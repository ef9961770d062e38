import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { describeVariables } from '@waybill/config';
import prettier from 'prettier';
import { withConfigurationTable } from '../tools/readme/configuration-table.mjs';

const root = path.resolve(import.meta.dirname, '..');
const readme = readFileSync(path.join(root, 'README.md'), 'utf8');

describe('README.md', () => {
  it('has the table of every variable that Waybill reads', async () => {
    const current = withConfigurationTable(readme, describeVariables());

    const options = { ...(await prettier.resolveConfig(path.join(root, 'README.md'))), parser: 'markdown' };

    // Mend with: npm run generate:readme
    expect(readme).toBe(await prettier.format(current, options));
  });

  it('links to files that exist', () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link]) => link ?? '');

    expect(links.length).toBeGreaterThan(5);
    expect(links.filter((link) => !existsSync(path.join(root, link)))).toEqual([]);
  });
});

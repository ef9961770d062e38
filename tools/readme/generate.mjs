// Writes the configuration table of README.md from the schemas that read the variables. Run after a build.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describeVariables } from '@waybill/config';
import prettier from 'prettier';
import { withConfigurationTable } from './configuration-table.mjs';

const file = path.resolve(import.meta.dirname, '../../README.md');
const text = withConfigurationTable(await readFile(file, 'utf8'), describeVariables());
await writeFile(file, await prettier.format(text, { ...(await prettier.resolveConfig(file)), parser: 'markdown' }));

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { waybill } from './scripted-api.spec-helper.js';

const commands = ['up', 'promote', 'status', 'where', 'topology validate', 'topology apply', 'topology diff', 'topology show'];

describe('waybill', () => {
  it('shows its commands, environment and exit statuses', async () => {
    const { status, stdout } = await waybill(['--help']);

    expect(status).toBe(0);
    for (const word of ['up', 'promote', 'status', 'topology', 'WAYBILL_API_URL', 'WAYBILL_API_KEY', 'Exit status', 'superseded']) {
      expect(stdout).toContain(word);
    }
  });

  it.each(commands)('explains %s and offers JSON', async (command) => {
    const { status, stdout } = await waybill([...command.split(' '), '--help']);

    expect(status).toBe(0);
    expect(stdout).toContain(`Usage: waybill ${command}`);
    expect(stdout).toContain('--json');
  });

  it.each(commands)('has a documented %s', async (command) => {
    const page = await readFile(join(import.meta.dirname, '../../../docs/cli.md'), 'utf8');

    const { stdout } = await waybill([...command.split(' '), '--help']);

    expect(page).toContain(`waybill ${command.split(' ')[0]}`);
    const options = [...stdout.matchAll(/^ +(?:-\w, )?(--[a-z-]+)/gm)].map(([, option]) => option ?? '');
    expect(options.length).toBeGreaterThan(1);
    expect(options.filter((option) => !page.includes(`\`${option}`))).toEqual([]);
  });

  it('tells its version', async () => {
    expect(await waybill(['--version'])).toEqual({ status: 0, stdout: '1.2.3\n', stderr: '' });
  });

  it.each([
    { args: [], says: 'Usage: waybill' },
    { args: ['promot'], says: 'Did you mean promote?' },
    { args: ['promote', '--path', 'release'], says: "missing required argument 'source'" },
    { args: ['promote', 'a/b:1'], says: '--path <name>' },
    { args: ['promote', 'a/b:1', '--path', 'release', '--label', 'team'], says: 'expected key=value' },
    { args: ['promote', 'a/b:1', '--path', 'release', '--wat'], says: "unknown option '--wat'" },
    { args: ['status', '--limit', '0'], says: 'expected a number from 1 to 200' },
    { args: ['status', '--limit', ''], says: 'expected a number from 1 to 200' },
    { args: ['status', '--since', 'yesterday'], says: 'expected a time such as' },
    { args: ['status', '--state', 'faild'], says: 'Allowed choices are requested, waiting, running' },
    { args: ['promote', 'a/b:1', '--path', 'release', '--idempotency-key', ''], says: 'expected something' },
    { args: ['up', '--port', '65536'], says: 'expected a port from 0 to 65535' },
    { args: ['up', '--port', '0x50'], says: 'expected a port from 0 to 65535' },
    { args: ['topology', 'validate'], says: "missing required argument 'file'" },
  ])('takes $args for wrong usage', async ({ args, says }) => {
    const { status, stdout, stderr } = await waybill(args);

    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(says);
  });
});

import { describe, expect, it } from '@jest/globals';
import { parseCommandLine } from './command-line.mjs';

describe('parseCommandLine', () => {
  it('reads what Prisma gives to its engine', () => {
    const argv = [
      '--datamodels',
      'a.prisma',
      '--enabled-preview-features',
      'views',
      '--datamodels',
      'b.prisma',
      '--datasource',
      '{"url":"postgresql://h/d"}',
    ];

    expect(parseCommandLine(argv)).toEqual({ datamodels: ['a.prisma', 'b.prisma'], url: 'postgresql://h/d', command: [] });
  });

  it('leaves the command over', () => {
    expect(parseCommandLine(['--datasource', '{}', 'cli', 'can-connect-to-database'])).toEqual({
      datamodels: [],
      url: '',
      command: ['cli', 'can-connect-to-database'],
    });
  });
});

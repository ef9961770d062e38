import { describe, expect, it } from '@jest/globals';
import type { Diagnostic } from './diagnostic.js';
import { formatDiagnostic } from './format-diagnostic.js';

function diagnostic(differences: Partial<Diagnostic> = {}): Diagnostic {
  return {
    code: 'registry-unknown',
    severity: 'error',
    message: 'unknown registry "ci-snapshot"',
    file: 'topology.yaml',
    line: 2,
    column: 9,
    path: '/paths/p/from',
    ...differences,
  };
}

describe('formatDiagnostic', () => {
  it('gives place, severity, message and the nearest word', () => {
    expect(formatDiagnostic(diagnostic({ suggestion: 'ci-snapshots' }))).toBe(
      'topology.yaml:2:9: error: unknown registry "ci-snapshot" (did you mean "ci-snapshots"?)',
    );
    expect(formatDiagnostic(diagnostic({ severity: 'warning' }))).toBe('topology.yaml:2:9: warning: unknown registry "ci-snapshot"');
  });

  it('shows the line with a caret below the place', () => {
    expect(formatDiagnostic(diagnostic(), 'p:\r\n  from: ci-snapshot\r\n')).toBe(
      ['topology.yaml:2:9: error: unknown registry "ci-snapshot"', '2 |   from: ci-snapshot', '  |         ^'].join('\n'),
    );
  });

  it('shows the part of a long line that is meant', () => {
    const [, shown = '', caret = ''] = formatDiagnostic(
      diagnostic({ line: 1, column: 501 }),
      `${'a'.repeat(500)}X${'b'.repeat(500)}`,
    ).split('\n');

    expect(shown.length).toBeLessThan(180);
    expect(shown.charAt(caret.indexOf('^'))).toBe('X');
  });

  it.each(['url-credentials', 'url-invalid'] as const)('shows no line for %s', (code) => {
    expect(formatDiagnostic(diagnostic({ code, line: 1 }), 'url: https://user:hunter2@a.example')).not.toContain('hunter2');
  });

  it('shows no line below credentials', () => {
    const path = '/registries/prod/credentials/password';

    expect(formatDiagnostic(diagnostic({ path, line: 1 }), 'credentials: { password: hunter2 }')).not.toContain('hunter2');
  });

  it('hides what stands before the "@" of a URL when something else on the line is wrong', () => {
    const shown = formatDiagnostic(diagnostic({ line: 1, column: 1 }), 'a: { url: "https://user:hunter2@a.example" }');

    expect(shown).toContain('"https://************@a.example"');
  });

  it('lets no control or direction character through', () => {
    const shown = formatDiagnostic(diagnostic({ file: 'a\u001b[31m.yaml', line: 1, column: 1 }), 'a: "\u001b]0;x\u0007\u202e"');

    expect(shown.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it('shows no line that is not there or empty', () => {
    expect(formatDiagnostic(diagnostic({ line: 9 }), 'a: 1')).not.toContain('\n');
    expect(formatDiagnostic(diagnostic({ line: 1, column: 1 }), '')).not.toContain('\n');
  });
});

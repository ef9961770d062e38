import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import { consoleOutput } from './console-output.js';
import { cutTitle, type Progress, progressOn, titleWidth } from './progress.js';

const open: Progress[] = [];
afterEach(() => open.splice(0).forEach((progress) => progress.stop()));

function progressTo(isTTY: boolean): { readonly progress: Progress; readonly shown: () => string } {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 120 });
  const progress = progressOn(consoleOutput({ stdout: stream, stderr: stream }, { json: false }));
  open.push(progress);
  return { progress, shown: () => String(stream.read() ?? '') };
}

/** Control sequences (ECMA-48): cursor up, cursor to a column, and all others, which change no text here. */
const controls = new RegExp(String.raw`${'\u001B'}\[(?:(?<up>\d+)A|(?<column>\d*)G|[?\d;]*[A-Za-z])`, 'y');

/** What a terminal shows at the end: the last text of each line that was drawn over and over. */
function lastScreen(text: string): string[] {
  const lines: string[] = [''];
  let row = 0;
  for (let at = 0; at < text.length;) {
    controls.lastIndex = at;
    const control = controls.exec(text);
    if (control?.groups?.['up'] !== undefined) row -= Number(control.groups['up']);
    if (control?.groups?.['column'] !== undefined) lines[row] = '';
    const character = text[at] ?? '';
    if (control === null && character === '\n') lines[++row] ??= '';
    if (control === null && character !== '\n' && character !== '\r') lines[row] = `${lines[row] ?? ''}${character}`;
    at += control?.[0].length ?? 1;
  }
  return lines.map((line) => line.trimEnd()).filter((line) => line !== '');
}

/** When wrapping (DEC private mode 7) goes off and on, and where among that the text stands. */
function wrapModes(shown: string, text: string): string[] {
  return shown.match(new RegExp(String.raw`(?<=${'\u001B'}\[)\?7[hl]|${text}`, 'g')) ?? [];
}

describe('progress away from a terminal', () => {
  it('is a line at the start and one at the end', () => {
    const { progress, shown } = progressTo(false);

    const task = progress.task('Packing');
    task.update(10, 20);
    progress.line('meanwhile');
    task.done('47 MiB');
    progress.stop();

    expect(shown()).toBe('Packing …\nmeanwhile\nPacking: 47 MiB\n');
  });
});

describe('progress on a terminal', () => {
  it('ends full with a note, each bar once, below the lines that were told', () => {
    const { progress, shown } = progressTo(true);

    const packing = progress.task('Packing');
    const starting = progress.task('Starting');
    packing.update(512, 1024, 'copying');
    progress.line('the API answers');
    starting.done('3 s');
    packing.done('47 MiB');
    progress.stop();

    expect(lastScreen(shown())).toEqual([
      'the API answers',
      `${'Packing'.padEnd(titleWidth)} ${'█'.repeat(20)} 47 MiB`,
      `${'Starting'.padEnd(titleWidth)} ${'█'.repeat(20)} 3 s`,
    ]);
  });

  it('stays where it was when the work failed, and empty while there is no total', () => {
    const { progress, shown } = progressTo(true);

    const failing = progress.task('Copying');
    failing.update(1024, 4096, 'copying');
    failing.failed('failed');
    progress.task('Pushing').update(2048);
    progress.stop();

    expect(lastScreen(shown())).toEqual([
      `${'Copying'.padEnd(titleWidth)} ${'█'.repeat(5)}${'░'.repeat(15)} 1.0 KiB / 4.0 KiB  failed`,
      `${'Pushing'.padEnd(titleWidth)} ${' '.repeat(20)} 2.0 KiB`,
    ]);
  });

  it('lets a line that is longer than the screen go on in the next one', () => {
    const { progress, shown } = progressTo(true);
    const long = 'word '.repeat(60);

    progress.task('Packing');
    progress.line(long);
    progress.stop();

    expect(wrapModes(shown(), long)).toEqual(['?7l', '?7h', long, '?7l', '?7h']);
  });

  it('begins anew after a stop', () => {
    const { progress, shown } = progressTo(true);
    progress.task('one').done('first');
    progress.stop();

    progress.line('between');
    progress.task('two').done('second');
    progress.stop();

    expect(lastScreen(shown()).map((line) => line.split(' ')[0])).toEqual(['one', 'between', 'two']);
  });
});

describe('cutTitle', () => {
  it('keeps registry and tag of a long name', () => {
    const cut = cutTitle('ci-snapshots/a-team/with/a/very/long/name/of/a/repository:0.1.0-3fa9c1d20b7e');

    expect(cut).toHaveLength(titleWidth);
    expect(cut).toMatch(/^ci-snapshots\/.*….*:0\.1\.0-3fa9c1d20b7e$/);
    expect(cutTitle('short')).toBe('short');
  });
});

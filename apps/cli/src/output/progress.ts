import { type GenericFormatter, MultiBar, Presets, type SingleBar } from 'cli-progress';
import type { Output, TextStream } from './console-output.js';
import { formatBytes } from './format.js';

/** One piece of long work. */
export interface ProgressTask {
  /** Bytes; the total may be learnt on the way, or never. The note says how far it is. */
  update(done: number, total?: number, note?: string): void;
  /** Ends the task with a word about how it went. */
  done(note: string): void;
  /** Ends it where it stands. */
  failed(note: string): void;
}

/** A part of a task, shown only while it moves and only on a terminal. */
export interface ProgressPiece {
  update(done: number, total: number): void;
  remove(): void;
}

/** Bars on a terminal, plain lines elsewhere. */
export interface Progress {
  task(title: string): ProgressTask;
  piece(title: string): ProgressPiece;
  /** A line that stays, above bars that move. */
  line(text: string): void;
  /** Leaves the terminal as it was. A task begun later starts anew. */
  stop(): void;
}

export const titleWidth = 42;
const barWidth = 20;
/** ECMA-48, "Erase in line": a line above takes the place of a bar that may have been longer. */
const clearToEndOfLine = '\u001B[K';
/** DEC private mode 7: bars are cut at the edge of the screen, but what is told must be read whole. */
const wrap = '\u001B[?7h';
const cut = '\u001B[?7l';

export function progressOn(output: Output): Progress {
  return output.people.isTTY === true ? new Bars(output) : plainLines(output);
}

/** What a bar shows beside its place. */
interface Payload {
  readonly title: string;
  readonly amount: string;
  readonly note: string;
}

class Bars implements Progress {
  readonly #output: Output;
  #bars: MultiBar | undefined;

  constructor(output: Output) {
    this.#output = output;
  }

  task(title: string): ProgressTask {
    const payload: Payload = { title: cutTitle(title), amount: '', note: '' };
    return barTask((this.#bars ??= openBars(this.#output.people)).create(0, 0, payload));
  }

  piece(title: string): ProgressPiece {
    const bars = (this.#bars ??= openBars(this.#output.people));
    const bar = bars.create(0, 0, { title: cutTitle(title), amount: '', note: '' } satisfies Payload);
    const task = barTask(bar);
    return { update: (done, total) => task.update(done, total), remove: () => void bars.remove(bar) };
  }

  line(text: string): void {
    if (this.#bars === undefined) this.#output.line(text);
    else this.#bars.log(`${wrap}${text.replaceAll('\n', `${clearToEndOfLine}\n`)}${clearToEndOfLine}\n${cut}`);
  }

  stop(): void {
    // What was logged or updated since the last drawing would be lost otherwise.
    this.#bars?.update();
    this.#bars?.stop();
    this.#bars = undefined;
  }
}

function openBars(stream: TextStream): MultiBar {
  return new MultiBar(
    // The library wants a stream of Node's and uses no more than a terminal has. Signals are handled by the command itself.
    {
      stream: stream as NodeJS.WritableStream,
      format: drawBar,
      clearOnComplete: false,
      hideCursor: true,
      gracefulExit: false,
      // A line above pushes all bars down, those too that did not change.
      forceRedraw: true,
    },
    Presets.shades_classic,
  );
}

/** A bar without a total has no place to show. */
const drawBar: GenericFormatter = (_options, { progress, total }, payload: Payload) => {
  const filled = total > 0 ? Math.round(Math.min(progress, 1) * barWidth) : 0;
  const bar = '█'.repeat(filled) + (total > 0 ? '░' : ' ').repeat(barWidth - filled);
  return `${payload.title.padEnd(titleWidth)} ${bar} ${[payload.amount, payload.note].filter((text) => text !== '').join('  ')}`;
};

function barTask(bar: SingleBar): ProgressTask {
  let amount = '';
  return {
    update: (done, total, note = '') => {
      amount = total === undefined ? formatBytes(done) : `${formatBytes(done)} / ${formatBytes(total)}`;
      if (total !== undefined) bar.setTotal(Math.max(total, 1));
      bar.update(total === undefined ? 0 : done, { amount, note });
    },
    done: (note) => {
      bar.setTotal(1);
      bar.update(1, { amount: '', note });
    },
    failed: (note) => bar.update({ amount, note }),
  };
}

function plainLines(output: Output): Progress {
  return {
    task: (title) => {
      output.line(`${title} …`);
      const end = (note: string): void => output.line(`${title}: ${note}`);
      return { update: () => undefined, done: end, failed: end };
    },
    piece: () => ({ update: () => undefined, remove: () => undefined }),
    line: (text) => output.line(text),
    stop: () => undefined,
  };
}

/** Keeps both ends: the registry stands first, the tag last. */
export function cutTitle(title: string): string {
  if (title.length <= titleWidth) return title;
  const start = Math.floor(titleWidth / 3);
  return `${title.slice(0, start)}…${title.slice(title.length - (titleWidth - start - 1))}`;
}

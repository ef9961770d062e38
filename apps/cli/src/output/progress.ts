import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import { formatBytes } from './format.js';
import type { Output } from './console-output.js';

/** One piece of long work. */
export interface ProgressTask {
  /** Bytes; the total may be learnt on the way, or never. */
  update(done: number, total?: number): void;
  /** Ends the task with a word about how it went. */
  done(note: string): void;
}

/** Bars on a terminal, plain lines elsewhere. */
export interface Progress {
  task(title: string): ProgressTask;
  /** Leaves the terminal as it was. */
  stop(): void;
}

const titleWidth = 34;

export function progressOn(output: Output): Progress {
  return output.isTerminal ? bars() : plainLines(output);
}

function bars(): Progress {
  const format = `{title} {bar} {done} {note}`;
  const multi = new MultiBar({ format, clearOnComplete: false, hideCursor: true, forceRedraw: true, barsize: 24 }, Presets.shades_classic);
  return {
    task: (title) => barTask(multi.create(1, 0, { title: title.padEnd(titleWidth), done: '', note: '' }), multi),
    stop: () => multi.stop(),
  };
}

function barTask(bar: SingleBar, multi: MultiBar): ProgressTask {
  return {
    update: (done, total) => {
      if (total === undefined) {
        bar.update(0, { done: formatBytes(done) });
        return;
      }
      bar.setTotal(Math.max(total, 1));
      bar.update(done, { done: `${formatBytes(done)} / ${formatBytes(total)}` });
    },
    done: (note) => {
      bar.update(bar.getTotal(), { note });
      multi.update();
    },
  };
}

function plainLines(output: Output): Progress {
  return {
    task: (title) => {
      output.line(`${title} …`);
      return { update: () => undefined, done: (note) => output.line(`${title}: ${note}`) };
    },
    stop: () => undefined,
  };
}

import type { Slot } from './slot.js';

const tailChars = 4_000;

/** Nothing that is restarted beneath a process is a reason for it to end; one line for each that did. */
export function endsByThemselves(slots: readonly Slot[]): string[] {
  return slots.flatMap(({ name, ownEnds }) =>
    ownEnds.map(({ at, wasReady, end }) => `${name} ended by itself with ${end} ${wasReady ? 'at work' : 'before it was ready'}, at ${at}`),
  );
}

/** What whoever looks for the cause needs: the last words of what ended by itself, and of what is running. */
export function lastWords(slots: readonly Slot[]): string {
  const ended = slots.flatMap(({ name, ownEnds }) => ownEnds.map(({ at, log }) => wordsOf(`${name}, which ended by itself at ${at}`, log)));
  const running = slots.map((slot) => wordsOf(`${slot.name}, as it is now`, slot.log()));
  return [...ended, ...running].join('\n');
}

function wordsOf(whose: string, log: string): string {
  return `--- the end of the log of ${whose}:\n${log.slice(-tailChars).trimEnd()}`;
}

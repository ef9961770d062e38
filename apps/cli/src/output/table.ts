import Table from 'cli-table3';

const nothing = '';
const chars = {
  ...{ top: nothing, 'top-mid': nothing, 'top-left': nothing, 'top-right': nothing },
  ...{ bottom: nothing, 'bottom-mid': nothing, 'bottom-left': nothing, 'bottom-right': nothing },
  ...{ left: nothing, 'left-mid': nothing, mid: nothing, 'mid-mid': nothing, right: nothing, 'right-mid': nothing },
  middle: '  ',
};

/** Columns side by side without lines, so that a row can be copied and found with grep. */
export function drawTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const table = new Table({ head: [...head], chars, style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 } });
  for (const row of rows) table.push([...row]);
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

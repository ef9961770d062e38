const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 100;
const PLAIN_LINE_MS = 15_000;

/**
 * @typedef {object} Progress
 * @property {<T>(label: string, work: () => Promise<T>) => Promise<T>} step runs the work and says how long it took
 * @property {(line: string) => void} note one line of its own
 */

/**
 * A line that moves on a terminal, plain lines with elapsed seconds elsewhere.
 * It writes to standard error, so that standard output belongs to the command that follows.
 *
 * @param {{ write(text: string): unknown, isTTY?: boolean }} [stream]
 * @returns {Progress}
 */
export function createProgress(stream = process.stderr) {
  const line = stream.isTTY ? movingLine(stream) : plainLines(stream);
  return {
    note: (text) => stream.write(`${text}\n`),
    async step(label, work) {
      const started = performance.now();
      const elapsed = () => `${((performance.now() - started) / 1000).toFixed(1)} s`;
      const stop = line(label, elapsed);
      try {
        const result = await work();
        stop(`✔ ${label} (${elapsed()})`);
        return result;
      } catch (error) {
        stop(`✘ ${label} (${elapsed()})`);
        throw error;
      }
    },
  };
}

/** @param {{ write(text: string): unknown }} stream */
function movingLine(stream) {
  /** @param {string} label @param {() => string} elapsed */
  return (label, elapsed) => {
    let frame = 0;
    const draw = () => stream.write(`\r\u001B[2K${FRAMES[frame++ % FRAMES.length]} ${label} (${elapsed()})`);
    draw();
    const timer = setInterval(draw, FRAME_MS);
    /** @param {string} last */
    return (last) => {
      clearInterval(timer);
      stream.write(`\r\u001B[2K${last}\n`);
    };
  };
}

/** @param {{ write(text: string): unknown }} stream */
function plainLines(stream) {
  /** @param {string} label @param {() => string} elapsed */
  return (label, elapsed) => {
    stream.write(`… ${label}\n`);
    const timer = setInterval(() => stream.write(`… ${label} (${elapsed()})\n`), PLAIN_LINE_MS);
    /** @param {string} last */
    return (last) => {
      clearInterval(timer);
      stream.write(`${last}\n`);
    };
  };
}

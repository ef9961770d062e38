import type { Socket } from 'node:net';

/** Lines of a connection as they come; it is cut when one is longer than `maxLength` characters. */
export async function* readLines(socket: Socket, maxLength: number): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of socket.setEncoding('utf8') as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
    if (rest.length > maxLength) return;
  }
}

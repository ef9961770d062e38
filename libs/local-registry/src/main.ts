import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { RegistryUser } from './access.js';
import { type LocalRegistry, type LocalRegistryStorage, startLocalRegistry } from './local-registry.js';

const Users = z.array(z.strictObject({ name: z.string().min(1), password: z.string(), may: z.array(z.enum(['read', 'write', 'delete'])) }));
const Control = z.strictObject({ faults: z.array(z.unknown()) });

/**
 * The registry as a process:
 * `node dist/main.js (--data DIR | --memory BYTES) [--port N] [--users FILE] [--exit-with-stdin] [--control]`.
 * One line of JSON, `{"url":…}`, says that it is ready. With `--control` every line on standard input is a plan of
 * faults, `{"faults":[…]}`, that replaces the one before; each is answered with a line, `{"faults":1}` or `{"error":…}`.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      data: { type: 'string' },
      memory: { type: 'string' },
      port: { type: 'string', default: '0' },
      users: { type: 'string' },
      'exit-with-stdin': { type: 'boolean', default: false },
      control: { type: 'boolean', default: false },
    },
  });
  if (!/^\d{1,5}$/.test(values.port)) throw new Error('--port must be a number');

  const users = values.users === undefined ? {} : { users: await usersIn(values.users) };
  const registry = await startLocalRegistry({ ...storageFrom(values), ...users, port: Number(values.port) });
  const stop = (): void => {
    void registry.close().then(() => process.exit(0));
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
  // A parent that dies cannot say so, but the pipe to it closes: this process never outlives it.
  if (values['exit-with-stdin']) process.stdin.once('close', stop).on('error', stop).resume();
  say({ url: registry.url });
  if (values.control) createInterface({ input: process.stdin }).on('line', (line) => say(follow(registry, line)));
}

function storageFrom({ data, memory }: { readonly data?: string | undefined; readonly memory?: string | undefined }): LocalRegistryStorage {
  if (data !== undefined && memory !== undefined) throw new Error('--data and --memory exclude each other');
  if (data !== undefined) return { dataDir: data };
  if (memory === undefined) throw new Error('--data DIR is missing, or --memory BYTES');
  if (!/^\d{1,15}$/.test(memory)) throw new Error('--memory must be a number of bytes');
  return { memory: { maxBytes: Number(memory) } };
}

/**
 * From a file, because the command line of a process can be read by everybody on the machine.
 * Nothing of what is in it is quoted: it holds passwords.
 */
async function usersIn(file: string): Promise<readonly RegistryUser[]> {
  const text = await readFile(file, 'utf8');
  try {
    return Users.parse(JSON.parse(text));
  } catch {
    throw new Error('--users must name a JSON file with a list of {"name", "password", "may": ["read", "write", "delete"]}');
  }
}

function follow(registry: LocalRegistry, line: string): object {
  try {
    const { faults } = Control.parse(JSON.parse(line));
    registry.faults.replace(faults);
    return { faults: faults.length };
  } catch (error) {
    return { error: error instanceof z.ZodError ? z.prettifyError(error) : String(error) };
  }
}

function say(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`local registry: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { EventEmitter, once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { createMigratedDatabase, type TestDatabase } from '@waybill/testing';
import pg from 'pg';
import { Database } from './database.js';
import { Notifications } from './notifications.js';
import { notify } from './notify.js';

describe('Notifications', () => {
  let server: TestDatabase;
  let database: Database;
  let admin: pg.Client;
  const open: Notifications[] = [];

  beforeAll(async () => {
    server = await createMigratedDatabase();
    database = new Database(server.url);
    admin = new pg.Client({ connectionString: server.adminUrl });
    await admin.connect();
  });

  afterEach(async () => {
    for (const notifications of open.splice(0)) await notifications.close();
  });

  afterAll(async () => {
    await database.close();
    await admin.end();
    await server.drop();
  });

  /** Listens, and tells what it hears one after the other. */
  function listen(url = server.url) {
    const heard = new EventEmitter();
    const troubles: unknown[] = [];
    const notifications = new Notifications(url, (error) => void troubles.push(error));
    open.push(notifications);
    notifications.on('outbox', (payload) => heard.emit('outbox', payload));
    notifications.on('promotion', (payload) => heard.emit('promotion', payload));
    return { heard, troubles, notifications };
  }

  /** Ends the connections that listen; gives how many. */
  async function terminateListeners(): Promise<number> {
    const { rowCount } = await admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`,
    );
    return rowCount ?? 0;
  }

  it('wakes every handler once when it has connected, and then with what is sent', async () => {
    const { heard, notifications } = listen();
    const woken = Promise.all([once(heard, 'outbox'), once(heard, 'promotion')]);
    notifications.start();
    notifications.start();
    expect(await woken).toEqual([[''], ['']]);

    const sent = once(heard, 'promotion');
    await notify(database.tables, 'promotion', 'the id');

    expect(await sent).toEqual(['the id']);
  });

  it('says nothing of a transaction that is rolled back', async () => {
    const { heard, notifications } = listen();
    const woken = once(heard, 'promotion');
    notifications.start();
    await woken;

    const sent = once(heard, 'promotion');
    const failing = database.transaction(async (tables) => {
      await notify(tables, 'promotion', 'rolled back');
      throw new Error('on purpose');
    });
    await expect(failing).rejects.toThrow('on purpose');
    await notify(database.tables, 'promotion', 'committed');

    expect(await sent).toEqual(['committed']);
  });

  it('reconnects when the server ends its connection, and wakes every handler once more', async () => {
    const { heard, troubles, notifications } = listen();
    const calls: string[] = [];
    const woken = Promise.all([once(heard, 'outbox'), once(heard, 'promotion')]);
    notifications.start();
    await woken;
    heard.on('outbox', (payload: string) => void calls.push(payload));

    const wokenAgain = Promise.all([once(heard, 'outbox'), once(heard, 'promotion')]);
    expect(await terminateListeners()).toBe(1);
    await wokenAgain;
    const sent = once(heard, 'outbox');
    await notify(database.tables, 'outbox', 'after all that');
    await sent;

    expect(calls).toEqual(['', 'after all that']);
    expect(troubles).toEqual([expect.objectContaining({ code: '57P01' })]);
  });

  it('leaves no connection behind when it is closed', async () => {
    const { heard, notifications, troubles } = listen();
    const woken = once(heard, 'outbox');
    notifications.start();
    await woken;

    await notifications.close();
    const sessions = async () => {
      const { rows } = await admin.query(`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`);
      return rows.length;
    };
    while ((await sessions()) > 0);

    expect(troubles).toEqual([]);
  });

  it('may be closed before it was started', async () => {
    await expect(listen().notifications.close()).resolves.toBeUndefined();
  });

  describe('towards a server that accepts and says nothing', () => {
    let silent: Server;

    beforeAll(async () => {
      silent = createServer().listen(0, '127.0.0.1');
      await once(silent, 'listening');
    });

    afterAll(() => {
      silent.close();
    });

    it('is closed while it connects', async () => {
      const { port } = silent.address() as AddressInfo;
      const { notifications, troubles } = listen(`postgres://nobody@127.0.0.1:${port}/none`);
      const accepted = once(silent, 'connection');
      notifications.start();
      const [socket] = (await accepted) as [EventEmitter & { resume(): void }];
      const ended = once(socket, 'close');
      socket.resume();

      await notifications.close();

      await ended;
      expect(troubles).toEqual([]);
    });
  });

  it('tells its trouble with a server that is not there, and goes on trying until closed', async () => {
    const heard = new EventEmitter();
    const notifications = new Notifications('postgres://nobody@127.0.0.1:1/none', (error) => heard.emit('trouble', error));
    open.push(notifications);
    const trouble = once(heard, 'trouble');
    notifications.start();

    expect((await trouble)[0]).toMatchObject({ code: 'ECONNREFUSED' });
    await once(heard, 'trouble');
  });
});

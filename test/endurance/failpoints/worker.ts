// The real worker, with failpoints between it and everything that outlives it. For tests only: it ends itself with
// SIGKILL where it is told to.
import 'reflect-metadata';
import { Test } from '@nestjs/testing';
import { loadWorkerConfig, type WorkerConfig } from '@waybill/config';
import { createLogger, type Logger, Metrics, nestLogger } from '@waybill/observability';
import { Database, HeldTargets, Leftovers, OpenEffects, Outbox, ProvenanceChain } from '@waybill/persistence';
import { openQueue } from '@waybill/queue';
import { clientsOfProcess, RegistryClients } from '@waybill/registry-clients';
import { RunRecords } from '../../../apps/worker/src/features/run-promotion/run-records.js';
import { CONFIG, JOB_QUEUE, LOGGER } from '../../../apps/worker/src/infrastructure/tokens.js';
import { serverOptions, serveWorker } from '../../../apps/worker/src/start-worker.js';
import { WorkerModule } from '../../../apps/worker/src/worker.module.js';
import { guarded, guardedClients, guardedDatabase, guardedQueue, guardedRecords } from './guard.js';
import { failpoints } from './process-failpoints.js';

const config = loadWorkerConfig();
const logger = createLogger({ name: 'worker', level: config.logLevel });

const module = await Test.createTestingModule({ imports: [WorkerModule.with({ config, logger })] })
  .overrideProvider(Database)
  .useFactory({ factory: () => guardedDatabase(new Database(config.databaseUrl, { maxConnections: 12 }), failpoints) })
  .overrideProvider(JOB_QUEUE)
  .useFactory({ factory: async () => guardedQueue(await openQueue(config.queue, { logger }), failpoints) })
  .overrideProvider(RegistryClients)
  .useFactory({
    inject: [CONFIG, LOGGER, Metrics],
    factory: (settings: WorkerConfig, log: Logger, metrics: Metrics) =>
      guardedClients(clientsOfProcess(settings, log, metrics), failpoints),
  })
  .overrideProvider(Outbox)
  .useFactory({ inject: [Database], factory: (database: Database) => guarded('outbox', new Outbox(database), failpoints) })
  .overrideProvider(ProvenanceChain)
  .useFactory({ inject: [Database], factory: (database: Database) => guarded('chain', new ProvenanceChain(database), failpoints) })
  .overrideProvider(HeldTargets)
  .useFactory({ inject: [Database], factory: (database: Database) => guarded('held', new HeldTargets(database), failpoints) })
  .overrideProvider(OpenEffects)
  .useFactory({ inject: [Database], factory: (database: Database) => guarded('effects', new OpenEffects(database), failpoints) })
  .overrideProvider(Leftovers)
  .useFactory({ inject: [Database], factory: (database: Database) => guarded('leftovers', new Leftovers(database), failpoints) })
  .overrideProvider(RunRecords)
  .useFactory({
    inject: [Database],
    factory: (database: Database) => guardedRecords(new RunRecords(database, { leaseMs: config.dispatchLeaseMs }), failpoints),
  })
  .compile();

const app = module.createNestApplication({ logger: nestLogger(logger), ...serverOptions });
await serveWorker(app, { config, logger });
process.stdin.resume().once('end', () => process.kill(process.pid, 'SIGTERM'));

import { loadApiConfig } from '@waybill/config';
import { silentLogger } from '@waybill/observability';
import { createApi } from './create-api.js';
import { describeApi } from './describe-api.js';

/** Prints docs/openapi.json. The database named here is never connected to. */
const config = loadApiConfig({ DATABASE_URL: 'postgresql://127.0.0.1/never' });
const app = await createApi(config, { logger: silentLogger });
process.stdout.write(`${JSON.stringify(describeApi(app), null, 2)}\n`);
await app.close();

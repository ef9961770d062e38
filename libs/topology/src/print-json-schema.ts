import { topologyJsonSchema } from './schema.js';

process.stdout.write(`${JSON.stringify(topologyJsonSchema(), null, 2)}\n`);

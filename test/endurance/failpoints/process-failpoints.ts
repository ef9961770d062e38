import { Failpoints } from './failpoint.js';

/** Those of this process. */
export const failpoints = Failpoints.fromEnvironment(process.env);

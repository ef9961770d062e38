import { noDefaultExport } from './rules/no-default-export.mjs';
import { noForwardRef } from './rules/no-forward-ref.mjs';
import { noLeftOutTest } from './rules/no-left-out-test.mjs';
import { noNewUrl } from './rules/no-new-url.mjs';
import { noProcessEnv } from './rules/no-process-env.mjs';
import { staticLogMessage } from './rules/static-log-message.mjs';

/** The rules of this repository. A review comment made twice becomes one of them, with a spec. */
export const waybill = {
  meta: { name: 'waybill' },
  rules: {
    'no-default-export': noDefaultExport,
    'no-forward-ref': noForwardRef,
    'no-left-out-test': noLeftOutTest,
    'no-new-url': noNewUrl,
    'no-process-env': noProcessEnv,
    'static-log-message': staticLogMessage,
  },
};
